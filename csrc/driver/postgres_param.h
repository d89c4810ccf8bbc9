/* Values as the parameters of PostgreSQL's extended protocol. */
#ifndef LIGA_DRIVER_POSTGRES_PARAM_H
#define LIGA_DRIVER_POSTGRES_PARAM_H

#include <stdbool.h>

struct arena;
struct error;
struct statement;

/* As libpq takes them: one entry a parameter. The texts are the statement's own, or live in the arena. */
struct pg_params {
    int count;
    unsigned *types;                /* OIDs; 0: the server infers the type from the text */
    bool typed;                     /* some are not 0 */
    const char **values;
    int *lengths, *formats;         /* formats: 0 text, 1 binary */
};

/* False: a value that can't be sent (error set, its texts in the arena of the call). */
bool pg_params_make(struct pg_params *params, const struct statement *statement, struct arena *arena, struct arena *call,
                    struct error *error);

#endif
