#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the jars of a real Apache Kafka with its tools, in one pinned version, into .cache/kafka/libs (or the folder given), by Maven.
# Does nothing when they are there.
set -euo pipefail

version=4.3.1
folder=${1:-$(cd "$(dirname "$0")/.." && pwd)/.cache/kafka}
done_mark=$folder/libs/.done-$version-tools
[ ! -f "$done_mark" ] || exit 0

echo "Fetching Apache Kafka $version with Maven, once: about 60 MB; usually less than two minutes."
mkdir -p "$folder/libs"
cat > "$folder/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>walpost</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
  </dependencies>
</project>
XML
for attempt in 1 2 3; do
    if mvn -B -ntp -q -f "$folder/pom.xml" \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$folder/libs" > "$folder/maven.log" 2>&1; then
        touch "$done_mark"
        exit 0
    fi
    echo "Maven did not get everything (attempt $attempt of 3)." >&2
done
tail -n 20 "$folder/maven.log" >&2
echo "Kafka's jars could not be fetched. See $folder/maven.log; is Maven Central, or a mirror in ~/.m2/settings.xml, reachable?" >&2
exit 1
