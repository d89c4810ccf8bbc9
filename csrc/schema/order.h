/* Models sorted so that referenced ones come first. */
#ifndef LIGA_SCHEMA_ORDER_H
#define LIGA_SCHEMA_ORDER_H

#include "schema/model.h"

struct model_order {
    const struct model **models;
    int count;
    const struct foreign_key **late;    /* keys that point forward because of a cycle, or to an index of the own table */
    const struct model **late_models;   /* their holders */
    int late_count;
};

/* Sorts all models of the schema; order of definition is kept where no reference decides. Arrays belong to the arena. */
struct model_order order_models(const struct schema *schema, struct arena *arena);

#endif
