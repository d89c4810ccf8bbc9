#include "load/keys.h"

#include <string.h>

#include "base/arena.h"
#include "base/names.h"

enum { FIRST_KEYS = 32 };

void key_table_init(struct key_table *table, struct arena *arena, int parts) {
    *table = (struct key_table){ .arena = arena, .parts = parts };
}

static uint64_t mixed(uint64_t bits) {
    bits *= 0x9E3779B97F4A7C15u;
    return bits ^ bits >> 29;
}

/* Equal values hash alike: 0.0 and -0.0 are equal, and so are all NaN of one value_equal class. */
static uint64_t value_hash(struct value value) {
    uint64_t bits = 0;
    switch (value.kind) {
    case VALUE_NULL: return 1;
    case VALUE_BOOL: return value.as.boolean ? 3 : 5;
    case VALUE_INT:  return mixed((uint64_t)value.as.integer);
    case VALUE_REAL:
        if (value.as.real == 0) return 7;
        memcpy(&bits, &value.as.real, sizeof bits);
        return mixed(bits);
    case VALUE_TEXT:
    case VALUE_BLOB: return text_hash(value.as.text, value.len);
    case VALUE_LIST: break;         /* no key is one */
    }
    return 0;
}

static uint64_t key_hash(const struct key_table *table, const struct value *key) {
    uint64_t hash = 0;
    for (int k = 0; k < table->parts; k++) hash = mixed(hash + value_hash(key[k]) + (uint64_t)k);
    return hash;
}

static bool same_key(const struct key_table *table, int number, const struct value *key) {
    const struct value *there = table->values + (size_t)number * (size_t)table->parts;
    for (int k = 0; k < table->parts; k++)
        if (!value_equal(there[k], key[k])) return false;
    return true;
}

/* The bucket of the key, or the free one where it belongs. */
static int bucket_of(const struct key_table *table, const struct value *key, uint64_t hash) {
    int at = (int)(hash & (uint64_t)table->bucket_mask);
    for (int number; (number = table->buckets[at] - 1) >= 0; at = (at + 1) & table->bucket_mask)
        if (table->hashes[number] == hash && same_key(table, number, key)) return at;
    return at;
}

static void fill_buckets(struct key_table *table) {
    for (int number = 0; number < table->count; number++) {
        int at = (int)(table->hashes[number] & (uint64_t)table->bucket_mask);
        while (table->buckets[at]) at = (at + 1) & table->bucket_mask;
        table->buckets[at] = number + 1;
    }
}

static void grow(struct key_table *table) {
    int size = table->size ? table->size * 2 : FIRST_KEYS;
    size_t used = (size_t)table->count * (size_t)table->parts;
    struct value *values = arena_array(table->arena, struct value, (size_t)size * (size_t)table->parts + 1);
    uint64_t *hashes = arena_array(table->arena, uint64_t, size);
    if (table->count) memcpy(values, table->values, used * sizeof *values);
    if (table->count) memcpy(hashes, table->hashes, (size_t)table->count * sizeof *hashes);
    table->values = values;
    table->hashes = hashes;
    table->size = size;
    table->buckets = arena_array(table->arena, int, size * 2);
    table->bucket_mask = size * 2 - 1;
    fill_buckets(table);
}

static struct value kept(struct arena *arena, struct value value) {
    if (value.kind == VALUE_TEXT || value.kind == VALUE_BLOB) value.as.text = arena_text(arena, value.as.text, value.len);
    return value;
}

int key_table_add(struct key_table *table, const struct value *key, bool *fresh) {
    if (table->count == table->size) grow(table);
    uint64_t hash = key_hash(table, key);
    int at = bucket_of(table, key, hash);
    *fresh = !table->buckets[at];
    if (!*fresh) return table->buckets[at] - 1;
    struct value *place = table->values + (size_t)table->count * (size_t)table->parts;
    for (int k = 0; k < table->parts; k++) place[k] = kept(table->arena, key[k]);
    table->hashes[table->count] = hash;
    table->buckets[at] = ++table->count;
    return table->count - 1;
}

/* Rows often come in the order of their keys: the one found last is the first to look at. */
int key_table_find(struct key_table *table, const struct value *key) {
    if (!table->count) return -1;
    if (same_key(table, table->found, key)) return table->found;
    int number = table->buckets[bucket_of(table, key, key_hash(table, key))] - 1;
    if (number >= 0) table->found = number;
    return number;
}
