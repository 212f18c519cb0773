# Built where it is going to run: the same Debian, the same libraries.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc g++ libc6-dev meson ninja-build pkg-config libpq-dev librdkafka-dev libprotobuf-c-dev \
        protobuf-c-compiler libprotobuf-dev libyaml-dev libev-dev libjemalloc-dev \
        libcurl4-openssl-dev libjansson-dev libavro-dev nlohmann-json3-dev \
    # Headers alone: installed, they would bring every JSON library that they know, and Qt.
    && cd /tmp && apt-get download libvalijson-dev && dpkg -x libvalijson-dev_*.deb / \
    && rm -rf /tmp/*.deb /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN meson setup /build --prefix=/usr -Dbuildtype=release -Dtests=false && ninja -C /build \
    && DESTDIR=/result ninja -C /build install

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        libpq5 librdkafka1 libprotobuf-c1 libyaml-0-2 libev4 libjemalloc2 libcurl4 libjansson4 libavro23 libstdc++6 \
        protobuf-compiler \
        ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin walpost
COPY --from=build /result/usr /usr
# What contracts import from google/protobuf/: protoc looks for it here.
COPY --from=build /usr/include/google/protobuf/*.proto /usr/include/google/protobuf/
USER walpost
WORKDIR /etc/walpost
ENV LANG=C.UTF-8
CMD ["walpost", "run"]
