/* Writes proto/vectors/ anew: see ./dev vectors. */

#include <stdlib.h>

#include "vector.h"

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < vector_files_count; i++) {
        char path[4096];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", argv[1], vector_files[i].name);
        file = fopen(path, "w");
        if (file == NULL) {
            perror(path);
            return EXIT_FAILURE;
        }
        vector_files[i].write(file);
        if (fclose(file) != 0) {
            perror(path);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
