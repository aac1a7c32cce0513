#include "roles.h"
#include "shop.h"

void
deciders_init(struct deciders *deciders)
{
    deciders->upcasters = shop_upcasters_new();
    deciders->order = order_decider_new(deciders->upcasters);
    deciders->payment = payment_decider_new();
    deciders->stock = stock_decider_new();
    deciders->registry = acta_registry_new();
    acta_registry_decider(deciders->registry, deciders->order);
    acta_registry_decider(deciders->registry, deciders->payment);
    acta_registry_decider(deciders->registry, deciders->stock);
}

void
deciders_fini(struct deciders *deciders)
{
    acta_registry_free(deciders->registry);
    acta_decider_free(deciders->stock);
    acta_decider_free(deciders->payment);
    acta_decider_free(deciders->order);
    acta_upcasters_free(deciders->upcasters);
}
