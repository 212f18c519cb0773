/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"
#include "enforce/contracts.h"

/* A schema that is missing holds up the stream at the first event that needs it. */
static void check_ids(struct points *points, const struct contracts *contracts,
                      const struct encoder *encoder, size_t versions)
{
    struct error error;
    size_t unknown = 0;
    for (size_t i = 0; i < versions; i++) {
        enum verdict verdict = contracts_look_up(contracts, encoder, i, &error);
        unknown += verdict == AGAIN;
        if (verdict != OK && verdict != AGAIN) {
            point_error(points, "schemas", &error);
            return;
        }
    }
    if (unknown > 0) {
        point_skip(points, "schemas", "the topic of an event does not follow from its type alone");
    } else {
        point_ok(points, "schemas", "the registry has all %zu", versions);
    }
}

void check_contracts(struct points *points, const struct config *config)
{
    struct error error;
    struct encoder *encoder = NULL;
    struct contracts *contracts = NULL;
    if (!config_checks_contracts(config)) {
        return;
    }
    enum verdict verdict = encoder_new(config, &encoder, &error);
    if (verdict == OK) {
        verdict = contracts_load(config, CONTRACTS_PUBLISH, NULL, &contracts, &error);
    }
    if (verdict != OK) {
        point_error(points, "contracts", &error);
    } else {
        size_t types;
        size_t versions;
        contracts_count(contracts, &types, &versions);
        point_ok(points, "contracts", "%zu version%s of %zu event type%s in %s", versions,
                 versions == 1 ? "" : "s", types, types == 1 ? "" : "s",
                 config_contracts_dir(config));
        if (contracts_have_ids(contracts)) {
            check_ids(points, contracts, encoder, versions);
        }
    }
    contracts_free(contracts);
    encoder_free(encoder);
}
