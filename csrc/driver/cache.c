#include "driver/cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_SIZE = 4096 };

enum entry_state { ENTRY_IDLE, ENTRY_IN_USE, ENTRY_DROPPED };

struct cache_entry {
    struct cache_entry *next;               /* in the bucket */
    struct cache_entry *newer, *older;      /* of those not in use */
    uint64_t hash;
    size_t len;
    void *handle;
    enum entry_state state;
    char text[];
};

/* ------------------------------------------------------------------------------------------------------- hashing */

static uint64_t mix(uint64_t hash) {
    hash *= 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 32);
}

/* Eight bytes at a time: byte by byte the hash of a long statement costs more than the rest of the look-up. */
static uint64_t hash_text(const char *text, size_t len) {
    uint64_t hash = len, word;
    for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    memcpy(&word, text, len);
    return mix(hash ^ word);
}

static struct cache_entry **bucket_of(const struct cache *cache, uint64_t hash) {
    return &cache->buckets[hash & (cache->size - 1)];
}

static bool has_text(const struct cache_entry *entry, const char *text, size_t len) {
    return entry->len == len && memcmp(entry->text, text, len) == 0;
}

static struct cache_entry *find(const struct cache *cache, const char *text, size_t len, uint64_t hash) {
    struct cache_entry *entry = *bucket_of(cache, hash);
    while (entry && !(entry->hash == hash && has_text(entry, text, len))) entry = entry->next;
    return entry;
}

/* A loop asks for the text again that it has just given back: no need to work out its hash. */
static struct cache_entry *find_again(const struct cache *cache, const char *text, size_t len) {
    if (cache->newest && has_text(cache->newest, text, len)) return cache->newest;
    return find(cache, text, len, hash_text(text, len));
}

/* --------------------------------------------------------------------------------------------- the list of the idle */

static void list_add(struct cache *cache, struct cache_entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest) cache->newest->newer = entry;
    else cache->oldest = entry;
    cache->newest = entry;
}

static void list_remove(struct cache *cache, struct cache_entry *entry) {
    if (entry->newer) entry->newer->older = entry->older;
    else cache->newest = entry->older;
    if (entry->older) entry->older->newer = entry->newer;
    else cache->oldest = entry->newer;
}

/* Takes an entry out of its bucket. */
static void unhook(struct cache *cache, const struct cache_entry *entry) {
    struct cache_entry **link = bucket_of(cache, entry->hash);
    while (*link != entry) link = &(*link)->next;
    *link = entry->next;
    cache->count--;
}

static void end_any(struct cache *cache, struct cache_entry *entry) {
    cache->dispose(entry->handle);
    free(entry);
}

static void remove_oldest(struct cache *cache) {
    struct cache_entry *entry = cache->oldest;
    unhook(cache, entry);
    list_remove(cache, entry);
    end_any(cache, entry);
}

/* --------------------------------------------------------------------------------------------------------- public */

bool cache_init(struct cache *cache, int limit, void (*dispose)(void *handle)) {
    *cache = (struct cache){ .dispose = dispose };
    if (limit <= 0) return true;
    size_t size = 16;
    while (size < (size_t)limit && size < LARGEST_SIZE) size *= 2;
    cache->buckets = calloc(size, sizeof *cache->buckets);
    if (!cache->buckets) return false;
    cache->size = size;
    cache->limit = limit;
    return true;
}

void *cache_take(struct cache *cache, const char *text, size_t len, struct cache_entry **entry) {
    *entry = NULL;
    if (!cache->limit) return NULL;
    struct cache_entry *found = find_again(cache, text, len);
    if (!found || found->state != ENTRY_IDLE) return NULL;
    list_remove(cache, found);
    found->state = ENTRY_IN_USE;
    *entry = found;
    return found->handle;
}

struct cache_entry *cache_keep(struct cache *cache, const char *text, size_t len, void *handle) {
    if (!cache->limit) return NULL;
    uint64_t hash = hash_text(text, len);
    if (find(cache, text, len, hash)) return NULL;
    if (cache->count >= cache->limit && cache->oldest) remove_oldest(cache);
    if (cache->count >= cache->limit) return NULL;
    struct cache_entry *entry = malloc(sizeof *entry + len);
    if (!entry) return NULL;
    struct cache_entry **bucket = bucket_of(cache, hash);
    *entry = (struct cache_entry){ .next = *bucket, .hash = hash, .len = len, .handle = handle, .state = ENTRY_IN_USE };
    memcpy(entry->text, text, len);
    *bucket = entry;
    cache->count++;
    return entry;
}

void cache_give(struct cache *cache, struct cache_entry *entry) {
    if (entry->state == ENTRY_DROPPED) {
        end_any(cache, entry);
        return;
    }
    entry->state = ENTRY_IDLE;
    list_add(cache, entry);
}

void cache_drop(struct cache *cache, struct cache_entry *entry) {
    if (entry->state != ENTRY_DROPPED) unhook(cache, entry);
    end_any(cache, entry);
}

/* Takes every entry out of the table and hands it to `end`. */
static void empty(struct cache *cache, void (*end)(struct cache *cache, struct cache_entry *entry)) {
    for (size_t i = 0; i < cache->size; i++) {
        for (struct cache_entry *entry = cache->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            end(cache, entry);
        }
        cache->buckets[i] = NULL;
    }
    cache->newest = cache->oldest = NULL;
    cache->count = 0;
}

static void end_unless_in_use(struct cache *cache, struct cache_entry *entry) {
    bool in_use = entry->state == ENTRY_IN_USE;
    entry->state = ENTRY_DROPPED;
    if (!in_use) cache_give(cache, entry);
}

static void end_without_handle(struct cache *cache, struct cache_entry *entry) {
    (void)cache;
    free(entry);
}

static void free_buckets(struct cache *cache) {
    free(cache->buckets);
    *cache = (struct cache){ .dispose = cache->dispose };
}

void cache_clear(struct cache *cache) {
    empty(cache, end_unless_in_use);
}

void cache_free(struct cache *cache) {
    empty(cache, end_any);
    free_buckets(cache);
}

void cache_forget(struct cache *cache) {
    empty(cache, end_without_handle);
    free_buckets(cache);
}
