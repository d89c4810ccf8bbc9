/* A hash of keys of any number of columns and of any type: each distinct key gets a number, from 0 on, in order of arrival. */
#ifndef LIGA_LOAD_KEYS_H
#define LIGA_LOAD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/value.h"

struct arena;

struct key_table {
    struct arena *arena;
    int parts;                      /* values of a key */
    int count, size;                /* distinct keys; room for them */
    struct value *values;           /* count × parts, copied into the arena */
    uint64_t *hashes;
    int *buckets;                   /* number + 1, open addressing; a power of two of them */
    int bucket_mask;
    int found;                      /* the key that was found last */
};

/* Starts an empty table; everything it holds lives in the arena. */
void key_table_init(struct key_table *table, struct arena *arena, int parts);

/* The number of the key, which is added if it is not there (then *fresh is true). */
int key_table_add(struct key_table *table, const struct value *key, bool *fresh);

/* The number of the key, or -1. */
int key_table_find(struct key_table *table, const struct value *key);

#endif
