/* Places for the read model of stock: databases of one kind or another. The
 * projection that fills it is the same.
 */

#ifndef SHOP_PLACE_H
#define SHOP_PLACE_H

#include <acta/acta_projection.h>
#include <jansson.h>

#define LEVELS_NAME "shop-levels" /* Of the projection. */

/* What both kinds understand. */
#define PLACE_CREATE                                                           \
    "CREATE TABLE IF NOT EXISTS stock(sku text PRIMARY KEY,"                   \
    "available bigint NOT NULL, reserved bigint NOT NULL,"                     \
    "shipped bigint NOT NULL)"
#define PLACE_ADD                                                              \
    "INSERT INTO stock VALUES($1, $2, $3, $4) ON CONFLICT(sku) DO UPDATE SET " \
    "available = stock.available + excluded.available, "                       \
    "reserved = stock.reserved + excluded.reserved, "                          \
    "shipped = stock.shipped + excluded.shipped"
#define PLACE_GET                                                              \
    "SELECT available, reserved, shipped FROM stock WHERE sku = $1"

/* Of an article. */
struct levels {
    json_int_t available, reserved, shipped;
};

struct place {
    /* Open what @where says. *@data is the place's own. */
    enum acta_code (*open)(void **data, const char *where,
                           struct acta_err *err);
    void (*close)(void *data);

    /* For the projection: keep the model here, which is made if it is missing.
     * The keeper is valid until the place is closed.
     */
    enum acta_code (*keep)(void *data, const struct acta_keeper **keeper,
                           struct acta_err *err);

    /* Add to an article's levels: @sku and the three, as texts. @model is what
     * acta_context_model() returns.
     */
    enum acta_code (*add)(void *model, const char *const values[4],
                          struct acta_err *err);

    /* For queries. NOT_FOUND: there is no such article. */
    enum acta_code (*get)(void *data, const char *sku, struct levels *levels,
                          struct acta_err *err);
};

extern const struct place place_sqlite;
extern const struct place place_postgres;

/* The one for @where; NULL: there is none in this build. */
const struct place *place_for(const char *where);

#endif
