/* SPDX-License-Identifier: Apache-2.0
 *
 * The script: helpers, a function for each message that an event can hold, one that finds the
 * contract of an event, and the trigger. */
#include "guard/guard.h"

#include <stdlib.h>

#include "base/check.h"
#include "guard/writer.h"

/* --- names ----------------------------------------------------------------------------------- */

void write_function_name(const struct writer *writer, const struct message *message)
{
    char name[SQL_NAME_SIZE];
    char *full = must_printf("walpost_guard %s v%u %s", writer->contract->type,
                             writer->contract->version, message->name.data);
    sql_short_name(name, full);
    free(full);
    sql_name(writer->out, writer->guard->schema);
    fputc('.', writer->out);
    sql_name(writer->out, name);
}

void write_helper(const struct writer *writer, const char *name)
{
    sql_name(writer->out, writer->guard->schema);
    fprintf(writer->out, ".walpost_guard_%s", name);
}

/* "walpost_guard KIND TABLE", without its schema. */
static void name_for_table(const struct guard *guard, const char *kind,
                           char name[static SQL_NAME_SIZE])
{
    char *full =
        must_printf("walpost_guard %s %s%s%s", kind, guard->table, guard->only == NULL ? "" : " ",
                    guard->only == NULL ? "" : guard->only);
    sql_short_name(name, full);
    free(full);
}

static void name_trigger(const struct guard *guard, char name[static SQL_NAME_SIZE])
{
    char *full = must_printf("walpost_guard%s%s", guard->only == NULL ? "" : " ",
                             guard->only == NULL ? "" : guard->only);
    sql_short_name(name, full);
    free(full);
}

static void write_table(const struct guard *guard, FILE *out)
{
    sql_name(out, guard->schema);
    fputc('.', out);
    sql_name(out, guard->table);
}

/* --- which messages -------------------------------------------------------------------------- */

struct reach {
    const struct pool *pool;
    char *colours; /* of every message: not seen, on the way down, done */
    bool any;
    bool circle;
};

enum { NOT_SEEN, ON_THE_WAY, DONE };

static void reach(struct reach *reached, const struct message *message)
{
    char *colour = &reached->colours[message - pool_message_at(reached->pool, 0)];
    reached->circle = reached->circle || *colour == ON_THE_WAY;
    if (*colour != NOT_SEEN) {
        return;
    }
    *colour = ON_THE_WAY;
    reached->any = reached->any || message->well_known == WELL_KNOWN_ANY;
    for (uint32_t i = 0; i < message->n_by_number; i++) {
        if (message->by_number[i]->message != NULL) {
            reach(reached, message->by_number[i]->message);
        }
    }
    *colour = DONE;
}

static bool has_function(const struct reach *reached, uint32_t i)
{
    const struct message *message = pool_message_at(reached->pool, i);
    if (message->well_known != WELL_KNOWN_NOT) {
        return false;
    }
    return reached->any || (reached->colours[i] == DONE && !message->map_entry);
}

static void write_contract(const struct guard *guard, const struct guard_contract *contract,
                           FILE *out)
{
    struct writer writer = {.guard = guard, .contract = contract, .out = out};
    uint32_t n = pool_messages(contract->pool);
    struct reach reached = {.pool = contract->pool, .colours = must_calloc(n + 1, 1)};
    reach(&reached, contract->message);
    writer.deep = reached.any || reached.circle;
    fprintf(out, "-- %s v%u: %s, %s\n", contract->type, contract->version, contract->file,
            contract->message->name.data);
    for (uint32_t i = 0; i < n; i++) {
        if (has_function(&reached, i)) {
            write_message(&writer, pool_message_at(contract->pool, i));
        }
    }
    if (reached.any) {
        write_any(&writer);
    }
    free(reached.colours);
}

/* --- which contract -------------------------------------------------------------------------- */

static size_t newest_of(const struct guard *guard, size_t i)
{
    while (i + 1 < guard->n_contracts &&
           strcmp(guard->contracts[i].type, guard->contracts[i + 1].type) == 0) {
        i++;
    }
    return i;
}

static void write_versions(const struct guard *guard, size_t from, size_t newest, FILE *out)
{
    const struct guard_contract *all = guard->contracts;
    fprintf(out, "    WHEN ");
    sql_literal(out, bytes_of(all[from].type));
    fprintf(out, " THEN\n        CASE coalesce(nullif(version, ''), '%u')\n", all[newest].version);
    for (size_t i = from; i <= newest; i++) {
        struct writer writer = {.guard = guard, .contract = &all[i], .out = out};
        char *name = must_printf("%s v%u", all[i].type, all[i].version);
        fprintf(out, "        WHEN '%u', 'v%u' THEN\n            contract := ", all[i].version,
                all[i].version);
        sql_literal(out, bytes_of(name));
        fprintf(out, ";\n");
        if (all[i].message != NULL) {
            fprintf(out, "            e := ");
            write_function_name(&writer, all[i].message);
            fprintf(out, "(payload, 1);\n");
        }
        free(name);
    }
    fprintf(out, "        ELSE\n            contract := ");
    sql_literal(out, bytes_of(all[from].type));
    fprintf(out, ";\n            e := ARRAY[");
    sql_literal(out, bytes_of(guard->schema_version));
    if (newest > from) {
        fprintf(out, ", 'a version from %u to %u', ", all[from].version, all[newest].version);
    } else {
        fprintf(out, ", 'version %u', ", all[newest].version);
    }
    fprintf(out, "version];\n        END CASE;\n");
}

/* NULL: the event keeps its contract; else {path, expected, found, contract}. */
static void write_judge(const struct guard *guard, FILE *out)
{
    char name[SQL_NAME_SIZE];
    name_for_table(guard, "judge", name);
    fprintf(out, "-- NULL: the event keeps its contract; else path, expected, found, contract.\n"
                 "CREATE OR REPLACE FUNCTION ");
    sql_name(out, guard->schema);
    fputc('.', out);
    sql_name(out, name);
    fprintf(out, "(event_type text, version text, payload jsonb)\n"
                 "RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $walpost$\n"
                 "DECLARE contract text := event_type; e text[];\n"
                 "BEGIN\n"
                 "    IF payload IS NULL THEN\n"
                 "        RETURN ARRAY['', 'a payload', 'none', event_type];\n"
                 "    END IF;\n"
                 "    IF pg_catalog.jsonb_typeof(payload) = 'object' THEN\n"
                 "        payload := payload || '{}'; -- the same, unpacked once and for all\n"
                 "    END IF;\n"
                 "    CASE event_type\n");
    for (size_t i = 0; i < guard->n_contracts; i = newest_of(guard, i) + 1) {
        write_versions(guard, i, newest_of(guard, i), out);
    }
    fprintf(out, "    ELSE\n        e := ARRAY[");
    sql_literal(out, bytes_of(guard->event_type));
    fprintf(out, ", 'a type that has a contract', coalesce(event_type, 'none')];\n"
                 "    END CASE;\n"
                 "    RETURN CASE WHEN e IS NULL THEN NULL ELSE e || contract END;\n"
                 "END $walpost$;\n\n");
}

/* --- the trigger ----------------------------------------------------------------------------- */

/* What the body says about columns is only known where the table is: the type of the payload, and
 * whether rows have a version. %%1 is the version, %%2 the payload as jsonb, %%3 a problem with the
 * payload as text. */
static void write_trigger_function(const struct guard *guard, const char *function,
                                   const char *judge, FILE *out)
{
    fprintf(out, "    EXECUTE pg_catalog.format($format$\n"
                 "CREATE OR REPLACE FUNCTION ");
    sql_name(out, guard->schema);
    fputc('.', out);
    sql_name(out, function);
    fprintf(out, "()\nRETURNS trigger LANGUAGE plpgsql SECURITY INVOKER\n"
                 "SET search_path = pg_catalog, pg_temp AS $body$\n"
                 "DECLARE e text[];\n"
                 "BEGIN\n"
                 "    e := %%3$s;\n"
                 "    IF e IS NULL THEN\n"
                 "        e := ");
    sql_name(out, guard->schema);
    fputc('.', out);
    sql_name(out, judge);
    fprintf(out, "(NEW.%%4$I::text, %%1$s, %%2$s);\n"
                 "    END IF;\n"
                 "    IF e IS NULL THEN\n"
                 "        RETURN NEW;\n"
                 "    END IF;\n"
                 "    RAISE EXCEPTION USING\n"
                 "        ERRCODE = 'check_violation',\n"
                 "        MESSAGE = pg_catalog.concat(coalesce(e[4], NEW.%%4$I::text), ': ',\n"
                 "            coalesce(nullif(e[1], ''), 'payload'), ': expected ', e[2], ', "
                 "found ', e[3]),\n"
                 "        DETAIL = 'The event breaks its contract: the stream would make it a dead "
                 "letter.',\n"
                 "        HINT = 'Mend the event, or write a new version of the contract and make "
                 "this guard again: walpost schema sql.',\n"
                 "        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;\n"
                 "END $body$\n$format$, version, payload, problem, ");
    sql_literal(out, bytes_of(guard->event_type));
    fprintf(out, ");\n");
}

static void write_installer(const struct guard *guard, FILE *out)
{
    char function[SQL_NAME_SIZE];
    char judge[SQL_NAME_SIZE];
    name_for_table(guard, "trigger", function);
    name_for_table(guard, "judge", judge);
    fprintf(out,
            "-- The types of the columns are looked at here: rows may have no %s.\n"
            "DO $walpost$\n"
            "DECLARE version text := 'NULL'; payload text; problem text := 'NULL::text[]'; "
            "kind oid;\n"
            "BEGIN\n"
            "    SELECT coalesce(nullif(t.typbasetype, 0), t.oid) INTO STRICT kind\n"
            "    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = "
            "a.atttypid\n"
            "    WHERE a.attrelid = '",
            guard->schema_version);
    write_table(guard, out);
    fprintf(out, "'::regclass AND a.attname = ");
    sql_literal(out, bytes_of(guard->payload));
    fprintf(out, " AND NOT a.attisdropped;\n    payload := pg_catalog.format('NEW.%%I', ");
    sql_literal(out, bytes_of(guard->payload));
    fprintf(out, "::text);\n"
                 "    IF kind <> 'jsonb'::regtype THEN\n"
                 "        problem := pg_catalog.format('%%s(%%s::text)', '");
    sql_name(out, guard->schema);
    fprintf(out, ".walpost_guard_text', payload);\n"
                 "        payload := payload || '::jsonb';\n"
                 "    END IF;\n"
                 "    IF EXISTS (SELECT FROM pg_catalog.pg_attribute\n"
                 "               WHERE attrelid = '");
    write_table(guard, out);
    fprintf(out, "'::regclass AND attname = ");
    sql_literal(out, bytes_of(guard->schema_version));
    fprintf(out, " AND NOT attisdropped) THEN\n"
                 "        version := pg_catalog.format('NEW.%%I::text', ");
    sql_literal(out, bytes_of(guard->schema_version));
    fprintf(out, "::text);\n    END IF;\n");
    write_trigger_function(guard, function, judge, out);
    fprintf(out, "END $walpost$;\n\n");
}

static void write_trigger(const struct guard *guard, FILE *out)
{
    char name[SQL_NAME_SIZE];
    char function[SQL_NAME_SIZE];
    name_trigger(guard, name);
    name_for_table(guard, "trigger", function);
    fprintf(out, "CREATE OR REPLACE TRIGGER ");
    sql_name(out, name);
    fprintf(out, " BEFORE INSERT ON ");
    write_table(guard, out);
    fprintf(out, "\nFOR EACH ROW ");
    if (guard->only != NULL) {
        fprintf(out, "WHEN (NEW.");
        sql_name(out, guard->event_type);
        fprintf(out, "::text = ");
        sql_literal(out, bytes_of(guard->only));
        fprintf(out, ") ");
    }
    fprintf(out, "EXECUTE FUNCTION ");
    sql_name(out, guard->schema);
    fputc('.', out);
    sql_name(out, function);
    fprintf(out, "();\n");
}

static void write_head(const struct guard *guard, FILE *out)
{
    char name[SQL_NAME_SIZE];
    name_trigger(guard, name);
    fprintf(out,
            "-- Refuses an event that breaks its contract, in the INSERT's own transaction.\n"
            "-- Written by walpost schema sql; run it with psql -v ON_ERROR_STOP=1 -1 -f FILE, "
            "as the owner of\n"
            "-- the table, again whenever a contract is added. To take it away:\n"
            "--   DROP TRIGGER ");
    sql_name(out, name);
    fprintf(out, " ON ");
    write_table(guard, out);
    fprintf(out, ";\n"
                 "-- and, where no other table of the schema has a guard:\n"
                 "--   SELECT 'DROP FUNCTION ' || oid::regprocedure FROM pg_proc\n"
                 "--   WHERE pronamespace = '");
    sql_name(out, guard->schema);
    fprintf(out, "'::regnamespace AND proname ~ '^walpost_guard[ _]' \\gexec\n\n");
}

void guard_write(const struct guard *guard, FILE *out)
{
    write_head(guard, out);
    write_helpers(guard, out);
    for (size_t i = 0; i < guard->n_contracts; i++) {
        if (guard->contracts[i].message != NULL) {
            write_contract(guard, &guard->contracts[i], out);
        }
    }
    write_judge(guard, out);
    write_installer(guard, out);
    write_trigger(guard, out);
}
