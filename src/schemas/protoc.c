/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "schemas/schemas.h"

enum { OUTPUT_MAX = 64 << 20 };

/* What a temporary file holds. */
static struct bytes read_back(FILE *file)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
    size_t len = size < 0 || size > OUTPUT_MAX ? 0 : (size_t)size;
    char *text = must_malloc(len + 1);
    rewind(file);
    len = fread(text, 1, len, file);
    text[len] = '\0';
    return (struct bytes){text, len};
}

/* Waits for it, in `folder`. *status is that of waitpid; 127: it could not be started. */
static enum verdict run(const char *folder, char *const *arguments, FILE *out, FILE *complaints,
                        int *status, struct error *error)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(complaints), STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    int failed = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        error_set(error, INVALID, "protoc, which compiles contracts, cannot be started: %s",
                  strerror(failed));
        return error_remedy(error,
                            "Install it (Debian: protobuf-compiler) and put it on the PATH.");
    }
    while (waitpid(pid, status, 0) < 0) {
        check(errno == EINTR);
    }
    return OK;
}

/* protoc warns, says what is wrong, and says it again for every file that imports it: the first
 * line that is no warning. */
static enum verdict refused(const char *file, struct bytes complaint, struct error *error)
{
    const char *line = complaint.data;
    while (*line == '[' && strchr(line, '\n') != NULL) {
        line = strchr(line, '\n') + 1;
    }
    size_t len = strcspn(line, "\n");
    error_set(error, INVALID, "%s does not compile: %.*s", file,
              len == 0 ? 13 : (int)(len < 400 ? len : 400), len == 0 ? "protoc failed" : line);
    return error_remedy(error,
                        "Mend the file; imports are looked for below the folder of contracts.");
}

static enum verdict compile(const char *folder, const char *file, FILE *out, FILE *complaints,
                            struct pool **pool, struct error *error)
{
    /* From inside the folder, because -I takes colons and equals signs of a path for its own, and
     * "./" in front, because a name may begin with "-" or "@". */
    char *source = must_printf("./%s", file);
    char *const arguments[] = {"protoc",
                               "--include_imports",
                               "--include_source_info",
                               "-I.",
                               "--descriptor_set_out=/dev/stdout",
                               source,
                               NULL};
    int status = 0;
    enum verdict verdict = run(folder, arguments, out, complaints, &status, error);
    free(source);
    if (verdict != OK) {
        return verdict;
    }
    struct bytes text = read_back(status == 0 ? out : complaints);
    if (status != 0) {
        verdict = refused(file, text, error);
    } else {
        verdict = pool_load(text, pool, error);
        if (verdict != OK) {
            error_prefix(error, "%s: ", file);
        }
    }
    free((char *)text.data);
    return verdict;
}

enum verdict protoc_compile(const char *folder, const char *file, struct pool **pool,
                            struct error *error)
{
    FILE *out = tmpfile();
    FILE *complaints = tmpfile();
    enum verdict verdict;
    if (out == NULL || complaints == NULL) {
        verdict = error_set(error, FATAL, "no temporary file for protoc: %s", strerror(errno));
    } else {
        verdict = compile(folder, file, out, complaints, pool, error);
    }
    if (out != NULL) {
        fclose(out);
    }
    if (complaints != NULL) {
        fclose(complaints);
    }
    return verdict;
}
