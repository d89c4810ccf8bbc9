/* Memory that is freed all at once. Under AddressSanitizer each object has its own red zone.
 *
 * Ownership, for the whole core: what you get from an arena you never free; what you pass in stays yours;
 * what must live longer than the call you copy into the schema arena. */
#ifndef LIGA_BASE_ARENA_H
#define LIGA_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SANITIZED 1
#endif
#endif

struct arena_block;

struct arena {
    struct arena_block *blocks;     /* newest first; the oldest one is kept by arena_reset */
    char *next, *end;               /* free part of the newest block */
    void (*oom)(void *owner);       /* called when memory is out; must not return */
    void *owner;
    unsigned fails_in;              /* tests: memory is out at the request that many from now; 0: never */
};

/* Starts an empty arena; nothing is allocated before the first request. */
void arena_init(struct arena *arena, void (*oom)(void *owner), void *owner);

enum { ARENA_ALIGNMENT = 16 };

/* Returns `size` zeroed bytes, aligned for any object; never NULL. */
void *arena_alloc_slowly(struct arena *arena, size_t size);
static inline void *arena_alloc(struct arena *arena, size_t size) {
#ifndef ARENA_SANITIZED
    size_t rounded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (rounded >= size && rounded < (size_t)(arena->end - arena->next) && !arena->fails_in) {
        void *memory = arena->next;
        arena->next += rounded;
        return memset(memory, 0, size);
    }
#endif
    return arena_alloc_slowly(arena, size);
}

/* Returns a copy of `size` bytes. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* Returns a NUL-terminated copy of a text of `len` bytes. */
char *arena_text(struct arena *arena, const char *text, size_t len);

/* Returns "left.right", what printf would make of it in a tenth of the time. */
char *arena_dotted(struct arena *arena, const char *left, const char *right);

/* Returns a NUL-terminated text made by a printf format. */
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Forgets everything but keeps the first block, so that a reused call box allocates nothing. */
void arena_reset(struct arena *arena);

/* Gives all memory back; the arena is then empty and usable. */
void arena_free(struct arena *arena);

/* One zeroed object, or `count` of them in a row. */
#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

#endif
