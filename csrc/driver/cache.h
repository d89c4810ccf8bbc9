/* Keeps prepared statements: text → handle, least recently used first out. A text that is in use is handed out as a
 * miss, so that a second run of it gets a fresh handle.
 *
 *     handle = cache_take(cache, text, len, &entry);
 *     if (!handle) { handle = prepare(text); entry = cache_keep(cache, text, len, handle); }
 *     …
 *     if (entry) cache_give(cache, entry); else dispose(handle); */
#ifndef LIGA_DRIVER_CACHE_H
#define LIGA_DRIVER_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct cache_entry;

struct cache {
    struct cache_entry **buckets;
    struct cache_entry *newest, *oldest;    /* of those not in use */
    size_t size;                            /* buckets, a power of two */
    int count, limit;
    void (*dispose)(void *handle);          /* gives a native handle back */
};

/* limit 0 (or less): keeps nothing. False: out of memory; the cache is then usable and keeps nothing. */
bool cache_init(struct cache *cache, int limit, void (*dispose)(void *handle));

/* Takes the handle of this text for use, and the entry to give it back with; NULL: not there, or in use. */
void *cache_take(struct cache *cache, const char *text, size_t len, struct cache_entry **entry);

/* Keeps a fresh handle, which is in use, disposing of the oldest one if the cache is full. NULL: not kept (the text is
 * there already, all are in use, limit 0, no memory); the handle then stays the caller's to dispose of. */
struct cache_entry *cache_keep(struct cache *cache, const char *text, size_t len, void *handle);

/* Ends the use of a handle. */
void cache_give(struct cache *cache, struct cache_entry *entry);

/* Ends the use of a handle and disposes of it: it turned out to be of no use. */
void cache_drop(struct cache *cache, struct cache_entry *entry);

/* Disposes of every handle; of those in use when they are given back. */
void cache_clear(struct cache *cache);

/* Disposes of everything; nothing may be in use, or be given back later. */
void cache_free(struct cache *cache);

/* As cache_free, but leaves the handles alone (they belong to the parent process). */
void cache_forget(struct cache *cache);

#endif
