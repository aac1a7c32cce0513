/* Runs a fuzz target over the files of a directory, so that a corpus is an
 * ordinary test. Each input lies in memory of its exact size, so that a
 * sanitizer sees what is read beyond it.
 */

#include <dirent.h>

#include "fuzz.h"

#define INPUT_SIZE_MAX (1u << 20)

static void
replay(const char *path)
{
    static uint8_t input[INPUT_SIZE_MAX];
    FILE *file = fopen(path, "rb");
    uint8_t *exact;
    size_t size;

    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size = fread(input, 1, sizeof(input), file);
    fclose(file);

    exact = malloc(size == 0 ? 1 : size);
    if (exact == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < size; i++) {
        exact[i] = input[i];
    }
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int
main(int argc, char **argv)
{
    unsigned replayed = 0;
    struct dirent *entry;
    char path[4096];
    DIR *dir;

    dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "usage: %s corpus-directory\n", argv[0]);
        return EXIT_FAILURE;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        replay(path);
        replayed++;
    }
    closedir(dir);
    printf("%u inputs\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
