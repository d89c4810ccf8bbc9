#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where AddressSanitizer is at work, memory that nobody asked for is out of bounds, and objects do not touch. */
#ifdef ARENA_SANITIZED
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 16 };
#define forbid(memory, size) ASAN_POISON_MEMORY_REGION((memory), (size))
#define permit(memory, size) ASAN_UNPOISON_MEMORY_REGION((memory), (size))
#else
enum { RED_ZONE = 0 };
#define forbid(memory, size) ((void)0)
#define permit(memory, size) ((void)0)
#endif

enum { FIRST_BLOCK = 16000, LARGEST_BLOCK = 1 << 20 };

struct arena_block {
    struct arena_block *older;
    size_t size;
    _Alignas(ARENA_ALIGNMENT) char bytes[];
};

void arena_init(struct arena *arena, void (*oom)(void *owner), void *owner) {
    *arena = (struct arena){ .oom = oom, .owner = owner };
}

static size_t block_size(const struct arena *arena, size_t needed) {
    size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
    return size < needed ? needed : size;
}

_Noreturn static void out_of_memory(struct arena *arena) {
    arena->oom(arena->owner);
    abort();                        /* an oom handler that returns is a bug of its owner */
}

/* Hands out of the newest block from its beginning. */
static void begin_block(struct arena *arena) {
    arena->next = arena->blocks->bytes;
    arena->end = arena->blocks->bytes + arena->blocks->size;
    forbid(arena->next, arena->blocks->size);
}

static void add_block(struct arena *arena, size_t needed) {
    size_t size = block_size(arena, needed);
    struct arena_block *block = size < SIZE_MAX / 2 ? malloc(sizeof *block + size) : NULL;
    if (!block) out_of_memory(arena);
    block->older = arena->blocks;
    block->size = size;
    arena->blocks = block;
    begin_block(arena);
}

/* As arena_alloc, without zeroing. */
static void *take(struct arena *arena, size_t size) {
    size_t rounded = (size + RED_ZONE + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (rounded < size) rounded = SIZE_MAX;
    if (arena->fails_in && --arena->fails_in == 0) out_of_memory(arena);
    if (!arena->blocks || (size_t)(arena->end - arena->next) < rounded) add_block(arena, rounded);
    void *memory = arena->next;
    arena->next += rounded;
    permit(memory, size);
    return memory;
}

void *arena_alloc_slowly(struct arena *arena, size_t size) {
    return memset(take(arena, size), 0, size);
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size) {
    void *copy = take(arena, size);
    if (size) memcpy(copy, bytes, size);
    return copy;
}

char *arena_text(struct arena *arena, const char *text, size_t len) {
    char *copy = take(arena, len + 1);
    if (len) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *arena_dotted(struct arena *arena, const char *left, const char *right) {
    size_t before = strlen(left), behind = strlen(right);
    char *text = take(arena, before + behind + 2);
    memcpy(text, left, before);
    text[before] = '.';
    memcpy(text + before + 1, right, behind + 1);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    size_t size = len < 0 ? 1 : (size_t)len + 1;
    char *text = take(arena, size);
    *text = '\0';
    vsnprintf(text, size, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void arena_reset(struct arena *arena) {
    if (!arena->blocks) return;
    while (arena->blocks->older) {
        struct arena_block *newest = arena->blocks;
        arena->blocks = newest->older;
        free(newest);
    }
    begin_block(arena);
}

void arena_free(struct arena *arena) {
    while (arena->blocks) {
        struct arena_block *newest = arena->blocks;
        arena->blocks = newest->older;
        free(newest);
    }
    arena->next = arena->end = NULL;
}
