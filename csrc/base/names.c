#include "base/names.h"

#include <ctype.h>
#include <string.h>

#include "base/arena.h"

enum { FIRST_BUCKETS = 64, LONGEST_COMPARED = 64 };

struct name_entry {
    struct name_entry *next;
    uint64_t hash;
    size_t len;
    char text[];
};

uint64_t text_hash(const char *text, size_t len) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash;
}

void names_init(struct names *names, struct arena *arena) {
    *names = (struct names){ .arena = arena, .size = FIRST_BUCKETS };
    names->buckets = arena_array(arena, struct name_entry *, FIRST_BUCKETS);
}

static struct name_entry *find(const struct names *names, const char *text, size_t len, uint64_t hash) {
    struct name_entry *entry = names->buckets[hash & (names->size - 1)];
    while (entry && !(entry->hash == hash && entry->len == len && memcmp(entry->text, text, len) == 0))
        entry = entry->next;
    return entry;
}

/* Old buckets stay in the arena; names are few and live as long as the schema. */
static void grow(struct names *names) {
    struct name_entry **old = names->buckets;
    size_t old_size = names->size;
    names->size *= 2;
    names->buckets = arena_array(names->arena, struct name_entry *, names->size);
    for (size_t i = 0; i < old_size; i++) {
        for (struct name_entry *entry = old[i], *next; entry; entry = next) {
            struct name_entry **bucket = &names->buckets[entry->hash & (names->size - 1)];
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
}

const char *names_find(const struct names *names, const char *text, size_t len) {
    struct name_entry *entry = find(names, text, len, text_hash(text, len));
    return entry ? entry->text : NULL;
}

const char *names_get(struct names *names, const char *text, size_t len) {
    uint64_t hash = text_hash(text, len);
    struct name_entry *entry = find(names, text, len, hash);
    if (entry) return entry->text;
    if (names->count >= names->size) grow(names);
    entry = arena_alloc(names->arena, sizeof *entry + len + 1);
    entry->hash = hash;
    entry->len = len;
    memcpy(entry->text, text, len);
    struct name_entry **bucket = &names->buckets[hash & (names->size - 1)];
    entry->next = *bucket;
    *bucket = entry;
    names->count++;
    return entry->text;
}

/* ----------------------------------------------------------------------------------------------- nearest name */

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

static int same_letter(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment (Levenshtein with swaps of neighbours), ignoring case. Both at most LONGEST_COMPARED. */
static size_t distance(const char *a, size_t alen, const char *b, size_t blen) {
    size_t row[3][LONGEST_COMPARED + 1];
    for (size_t j = 0; j <= blen; j++) row[0][j] = j;
    for (size_t i = 1; i <= alen; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= blen; j++) {
            size_t differs = !same_letter(a[i - 1], b[j - 1]);
            now[j] = smallest(last[j] + 1, now[j - 1] + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1])
                && before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
    }
    return row[alen % 3][blen];
}

void nearest_offer(struct nearest *nearest, const char *candidate) {
    size_t word_len = strlen(nearest->word), len = strlen(candidate);
    if (word_len > LONGEST_COMPARED || len > LONGEST_COMPARED) return;
    size_t d = distance(nearest->word, word_len, candidate, len);
    size_t allowed = word_len / 3 + 1;
    if (d > allowed || (nearest->best && d >= nearest->distance)) return;
    nearest->best = candidate;
    nearest->distance = d;
}
