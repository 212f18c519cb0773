/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"
#include "registry/registry.h"

void check_registry(struct points *points, const struct config *config)
{
    struct registry *registry = NULL;
    struct error error;
    char level[REGISTRY_LEVEL_SIZE];
    char note[REGISTRY_NOTE_SIZE];
    if (config->contracts.registry.url[0] == '\0') {
        return;
    }
    if (registry_new(config, NULL, &registry, &error) != OK ||
        registry_level(registry, NULL, level, &error) != OK) {
        point_error(points, "registry", &error);
    } else {
        point_ok(points, "registry",
                 "%s answers; its compatibility is %s unless a subject says "
                 "otherwise",
                 config->contracts.registry.url, level);
    }
    while (registry != NULL && registry_note(registry, note)) {
        point_warn(points, "registry cache", "", "%s", note);
    }
    registry_free(registry);
}
