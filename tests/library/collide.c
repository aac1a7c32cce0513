/* A program with names of its own that libacta uses inside, too. */

#include <acta/acta_sync.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(void);
void pack_str(void);
void client_new(void);
void core_init(void);

void
buf_init(void)
{
    abort();
}

void
pack_str(void)
{
    abort();
}

void
client_new(void)
{
    abort();
}

void
core_init(void)
{
    abort();
}

int
main(int argc, char **argv)
{
    struct acta_options options = acta_options_of(argv[argc - 1]);
    struct acta_sync *sync;
    struct acta_err err;
    uint64_t head;

    if (acta_sync_open(&sync, &options, &err) != ACTA_OK ||
        acta_sync_ping(sync, &head, &err) != ACTA_OK) {
        fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    printf("head %llu\n", (unsigned long long)head);
    acta_sync_close(sync);
    return EXIT_SUCCESS;
}
