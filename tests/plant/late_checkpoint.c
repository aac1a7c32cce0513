/* What is committed with a read model is the checkpoint of the batch before. */

#include <acta/acta_projection.h>

void __real_acta_projection_keep(struct acta_projection *projection,
                                 const struct acta_keeper *keeper);
void __wrap_acta_projection_keep(struct acta_projection *projection,
                                 const struct acta_keeper *keeper);

static struct acta_keeper honest;
static uint64_t newest; /* What should have been saved. */

static enum acta_code
load(void *user, const char *projection, uint64_t *position,
     struct acta_err *err)
{
    enum acta_code code = honest.load(user, projection, position, err);

    if (newest == 0) {
        newest = *position;
    }
    *position = newest;
    return code;
}

static enum acta_code
save(void *user, const char *projection, uint64_t position,
     struct acta_err *err)
{
    uint64_t before = newest;

    newest = position;
    return honest.save(user, projection, before, err);
}

void
__wrap_acta_projection_keep(struct acta_projection *projection,
                            const struct acta_keeper *keeper)
{
    struct acta_keeper mistaken = *keeper;

    honest = *keeper;
    mistaken.load = load;
    mistaken.save = save;
    __real_acta_projection_keep(projection, &mistaken);
}
