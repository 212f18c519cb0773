-- SPDX-License-Identifier: Apache-2.0
-- What all functions of a guard call.
CREATE OR REPLACE FUNCTION @@.walpost_guard_found(v jsonb)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $walpost$
SELECT CASE pg_catalog.jsonb_typeof(v)
    WHEN 'object' THEN 'an object'
    WHEN 'array' THEN 'an array'
    WHEN 'string' THEN 'the string '
    WHEN 'number' THEN 'the number '
    ELSE '' END
    || CASE WHEN pg_catalog.jsonb_typeof(v) IN ('object', 'array') THEN ''
       WHEN pg_catalog.length(v::text) > 48 THEN pg_catalog.left(v::text, 48) || '...'
       ELSE coalesce(v::text, 'none') END
$walpost$;

-- Puts the name of what it is inside in front of the path.
CREATE OR REPLACE FUNCTION @@.walpost_guard_inside(e text[], part text)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $walpost$
SELECT ARRAY[part || CASE WHEN e[1] = '' OR pg_catalog.starts_with(e[1], '[') THEN '' ELSE '.' END || e[1], e[2], e[3]]
$walpost$;

CREATE OR REPLACE FUNCTION @@.walpost_guard_unknown(rest jsonb, expected text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE name text;
BEGIN
    SELECT min(k) INTO name FROM pg_catalog.jsonb_object_keys(rest) k;
    IF name IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY[name, expected, 'the string ' || pg_catalog.left(pg_catalog.to_json(name)::text, 48)];
END $walpost$;

-- digits * 10^exponent, without zeros at either end of the digits; NULL: it is no number.
CREATE OR REPLACE FUNCTION @@.walpost_guard_decimal(t text, OUT negative boolean, OUT digits text, OUT exponent int)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE part text[];
BEGIN
    part := pg_catalog.regexp_match(t, '^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?$');
    IF part IS NULL THEN
        RETURN;
    END IF;
    negative := part[1] = '-';
    exponent := CASE WHEN pg_catalog.length(pg_catalog.ltrim(part[5], '0')) > 6 THEN 999999
        ELSE coalesce(nullif(pg_catalog.ltrim(part[5], '0'), ''), '0')::int END;
    exponent := CASE part[4] WHEN '-' THEN -exponent ELSE exponent END
        - coalesce(pg_catalog.length(part[3]), 0);
    digits := part[2] || coalesce(part[3], '');
    exponent := exponent + pg_catalog.length(digits) - pg_catalog.length(pg_catalog.rtrim(digits, '0'));
    digits := pg_catalog.btrim(digits, '0');
END $walpost$;

-- The whole number that a text is; NULL: it is none, or none of 64 bits.
CREATE OR REPLACE FUNCTION @@.walpost_guard_whole(t text)
RETURNS numeric LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE n record;
BEGIN
    IF t ~ '^-?(0|[1-9][0-9]{0,17})$' THEN
        RETURN t::numeric;
    END IF;
    n := @@.walpost_guard_decimal(t);
    IF n.digits = '' THEN
        RETURN 0;
    END IF;
    IF n.digits IS NULL OR n.exponent < 0 OR pg_catalog.length(n.digits) + n.exponent > 20 THEN
        RETURN NULL;
    END IF;
    RETURN (CASE WHEN n.negative THEN '-' ELSE '' END || n.digits || pg_catalog.repeat('0', n.exponent))::numeric;
END $walpost$;

CREATE OR REPLACE FUNCTION @@.walpost_guard_integer(v jsonb, low numeric, high numeric, expected text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE n numeric;
BEGIN
    CASE pg_catalog.jsonb_typeof(v)
    WHEN 'number' THEN n := v::numeric;
    WHEN 'string' THEN n := @@.walpost_guard_whole(v #>> '{}');
    ELSE n := NULL;
    END CASE;
    IF n % 1 <> 0 THEN
        expected := expected || ', without a fraction';
    ELSIF n BETWEEN low AND high THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY['', expected, @@.walpost_guard_found(v)];
END $walpost$;

-- A number below `bound`, what JSON cannot say but in quotes, or a number in quotes.
CREATE OR REPLACE FUNCTION @@.walpost_guard_real(v jsonb, bound numeric, expected text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE n record; place int;
BEGIN
    CASE pg_catalog.jsonb_typeof(v)
    WHEN 'number' THEN
        IF pg_catalog.abs(v::numeric) < bound THEN
            RETURN NULL;
        END IF;
    WHEN 'string' THEN
        IF (v #>> '{}') IN ('NaN', 'Infinity', '-Infinity') THEN
            RETURN NULL;
        END IF;
        n := @@.walpost_guard_decimal(v #>> '{}');
        place := pg_catalog.length(n.digits) + n.exponent;
        IF n.digits = '' OR place < 38 THEN
            RETURN NULL;
        END IF;
        IF place < 400 AND (pg_catalog.left(n.digits, 400) || 'e'
                || (place - pg_catalog.length(pg_catalog.left(n.digits, 400))))::numeric < bound THEN
            RETURN NULL;
        END IF;
    ELSE
    END CASE;
    RETURN ARRAY['', expected, @@.walpost_guard_found(v)];
END $walpost$;

-- A number, in quotes or not; `listed` NULL: any. A name was looked for before.
CREATE OR REPLACE FUNCTION @@.walpost_guard_enum(v jsonb, listed int[], any_name boolean, expected text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE n record;
BEGIN
    IF pg_catalog.jsonb_typeof(v) = 'string' AND any_name THEN
        -- One that is passed over, unless it is a whole number in quotes.
        n := @@.walpost_guard_decimal(v #>> '{}');
        IF n.digits IS NULL OR (n.digits <> ''
                AND (n.exponent < 0 OR pg_catalog.length(n.digits) + n.exponent > 20
                    OR pg_catalog.abs(@@.walpost_guard_whole(v #>> '{}')) > 18446744073709551615)) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF @@.walpost_guard_integer(v, -2147483648, 2147483647, '') IS NULL THEN
        IF listed IS NULL OR coalesce(@@.walpost_guard_whole(v #>> '{}'), v::numeric) = ANY (listed) THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN ARRAY['', expected, @@.walpost_guard_found(v)];
END $walpost$;

-- Keys of a map that are whole numbers: 1 and 1.0 are one key.
CREATE OR REPLACE FUNCTION @@.walpost_guard_keys(v jsonb, low numeric, high numeric, expected text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE wrong text; twice boolean;
BEGIN
    SELECT min(k) FILTER (WHERE n IS NULL OR n < low OR n > high), count(DISTINCT n) < count(*)
    INTO wrong, twice
    FROM (SELECT k, @@.walpost_guard_whole(k) AS n FROM pg_catalog.jsonb_object_keys(v) k) keys;
    IF wrong IS NOT NULL THEN
        RETURN ARRAY['', expected, 'the key "' || pg_catalog.left(wrong, 48) || '"'];
    ELSIF twice THEN
        RETURN ARRAY['', 'every key once', 'one twice'];
    END IF;
    RETURN NULL;
END $walpost$;

CREATE OR REPLACE FUNCTION @@.walpost_guard_timestamp(t text)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE year int; day text; second int; part text[];
BEGIN
    IF t !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$' THEN
        RETURN false;
    END IF;
    year := pg_catalog.left(t, 4)::int;
    day := pg_catalog.substr(t, 6, 5);
    IF day IN ('02-30', '02-31', '04-31', '06-31', '09-31', '11-31')
        OR (day = '02-29' AND (year % 4 <> 0 OR (year % 100 = 0 AND year % 400 <> 0))) THEN
        RETURN false;
    END IF;
    IF year BETWEEN 2 AND 9998 THEN
        RETURN true;
    END IF;
    -- At the ends of time the offset decides.
    part := pg_catalog.regexp_match(t, 'T(..):(..):(..).*?(?:Z|([+-])(..):(..))$');
    second := part[1]::int * 3600 + part[2]::int * 60 + part[3]::int
        - coalesce(part[5]::int * 60 + part[6]::int, 0) * CASE part[4] WHEN '-' THEN -60 ELSE 60 END;
    RETURN CASE pg_catalog.left(t, 10)
        WHEN '0000-12-31' THEN second >= 86400
        WHEN '0001-01-01' THEN second >= 0
        WHEN '9999-12-31' THEN second < 86400
        ELSE year > 0 END;
END $walpost$;

CREATE OR REPLACE FUNCTION @@.walpost_guard_duration(t text)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $walpost$
SELECT CASE WHEN t ~ '^-?0*[0-9]{1,12}(\.[0-9]{1,9})?s$'
    THEN pg_catalog.right(pg_catalog.split_part(pg_catalog.rtrim(pg_catalog.ltrim(t, '-'), 's'), '.', 1), 12)::bigint <= 315576000000
    ELSE false END
$walpost$;

-- google.protobuf.Value at a depth of messages, Struct and ListValue: all JSON may stand in them, but
-- no number that a double cannot hold, and nothing that is nested deeper than Protobuf reads.
CREATE OR REPLACE FUNCTION @@.walpost_guard_value(v jsonb, depth int)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
BEGIN
    IF depth > 100 THEN
        RETURN ARRAY['', 'at most 100 levels of messages', 'one more'];
    END IF;
    CASE pg_catalog.jsonb_typeof(v)
    WHEN 'object' THEN RETURN @@.walpost_guard_struct(v, depth + 1);
    WHEN 'array' THEN RETURN @@.walpost_guard_list(v, depth + 1);
    WHEN 'number' THEN
        IF pg_catalog.abs(v::numeric) >= @LIMIT@ THEN
            RETURN ARRAY['', 'a double', @@.walpost_guard_found(v)];
        END IF;
    ELSE
    END CASE;
    RETURN NULL;
END $walpost$;

-- No large number and few levels: true for nearly all.
CREATE OR REPLACE FUNCTION @@.walpost_guard_plain(v jsonb, depth int)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
BEGIN
    RETURN depth <= 40 AND NOT v @? '$.**{20 to last}'
        AND NOT v @? '$.** ? (@.type() == "number" && (@ >= @LIMIT@ || @ <= -@LIMIT@))';
END $walpost$;

CREATE OR REPLACE FUNCTION @@.walpost_guard_struct(v jsonb, depth int)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE k text; w jsonb; e text[];
BEGIN
    IF pg_catalog.jsonb_typeof(v) <> 'object' THEN
        RETURN ARRAY['', 'an object', @@.walpost_guard_found(v)];
    ELSIF depth > 100 THEN
        RETURN ARRAY['', 'at most 100 levels of messages', 'one more'];
    ELSIF @@.walpost_guard_plain(v, depth) THEN
        RETURN NULL;
    END IF;
    FOR k, w IN SELECT * FROM pg_catalog.jsonb_each(v) LOOP
        e := @@.walpost_guard_value(w, depth + 2);
        IF e IS NOT NULL THEN
            RETURN @@.walpost_guard_inside(e, '["' || k || '"]');
        END IF;
    END LOOP;
    RETURN NULL;
END $walpost$;

CREATE OR REPLACE FUNCTION @@.walpost_guard_list(v jsonb, depth int)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE e text[];
BEGIN
    IF pg_catalog.jsonb_typeof(v) <> 'array' THEN
        RETURN ARRAY['', 'an array', @@.walpost_guard_found(v)];
    ELSIF depth > 100 THEN
        RETURN ARRAY['', 'at most 100 levels of messages', 'one more'];
    ELSIF @@.walpost_guard_plain(v, depth) THEN
        RETURN NULL;
    END IF;
    FOR i IN 0 .. pg_catalog.jsonb_array_length(v) - 1 LOOP
        e := @@.walpost_guard_value(v->i, depth + 1);
        IF e IS NOT NULL THEN
            RETURN @@.walpost_guard_inside(e, '[' || i || ']');
        END IF;
    END LOOP;
    RETURN NULL;
END $walpost$;

-- A key that stands twice in an object, which jsonb would not keep.
CREATE OR REPLACE FUNCTION @@.walpost_guard_twice(j json)
RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE name text; value json;
BEGIN
    CASE pg_catalog.json_typeof(j)
    WHEN 'object' THEN
        SELECT k INTO name FROM pg_catalog.json_object_keys(j) k GROUP BY k HAVING count(*) > 1 LIMIT 1;
        FOR value IN SELECT e.value FROM pg_catalog.json_each(j) e
                WHERE name IS NULL AND pg_catalog.json_typeof(e.value) IN ('object', 'array') LOOP
            name := @@.walpost_guard_twice(value);
            EXIT WHEN name IS NOT NULL;
        END LOOP;
    WHEN 'array' THEN
        FOR value IN SELECT e.value FROM pg_catalog.json_array_elements(j) e
                WHERE pg_catalog.json_typeof(e.value) IN ('object', 'array') LOOP
            name := @@.walpost_guard_twice(value);
            EXIT WHEN name IS NOT NULL;
        END LOOP;
    ELSE
    END CASE;
    RETURN name;
END $walpost$;

-- What only a column that is not jsonb can hold.
CREATE OR REPLACE FUNCTION @@.walpost_guard_text(t text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$
DECLARE name text;
BEGIN
    PERFORM t::jsonb;
    name := @@.walpost_guard_twice(t::json);
    IF name IS NOT NULL THEN
        RETURN ARRAY['', 'every field and key once', '"' || pg_catalog.left(name, 48) || '" twice'];
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
        RETURN ARRAY['', 'JSON', SQLERRM];
END $walpost$;

