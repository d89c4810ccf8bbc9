/* Each name stored once, so that equal names are equal pointers; and the search for the nearest name. */
#ifndef LIGA_BASE_NAMES_H
#define LIGA_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct name_entry;

struct names {
    struct arena *arena;
    struct name_entry **buckets;
    size_t size, count;             /* size is a power of two */
};

void names_init(struct names *names, struct arena *arena);

/* Returns the one copy of the text, making it if need be; NUL-terminated, never NULL. */
const char *names_get(struct names *names, const char *text, size_t len);

/* Returns the one copy of the text, or NULL if nobody has stored it. */
const char *names_find(const struct names *names, const char *text, size_t len);

/* FNV-1a, the hash of names and of statement texts. */
uint64_t text_hash(const char *text, size_t len);

/* Keeps the candidate nearest to a misspelt word: start with {word}, offer each valid name, read best.
 * Nearest is the smallest optimal string alignment distance, at most a third of the word's length plus one. */
struct nearest {
    const char *word;
    const char *best;               /* NULL: nothing is near */
    size_t distance;
};
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
