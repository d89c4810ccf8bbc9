#include "base/arena.h"

#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include "check.h"

static jmp_buf out_of_memory;

static void leave(void *owner) {
    *(int *)owner += 1;
    longjmp(out_of_memory, 1);
}

static void test_memory(struct arena *arena) {
    bool aligned = true, zeroed = true;
    for (size_t size = 0; size < 20000; size = size * 3 / 2 + 1) {
        unsigned char *memory = arena_alloc(arena, size);
        aligned = aligned && (uintptr_t)memory % 16 == 0;
        for (size_t i = 0; i < size; i++) zeroed = zeroed && memory[i] == 0;
        memset(memory, 0xAA, size);
    }
    CHECK(aligned, "memory is aligned for any object");
    CHECK(zeroed, "memory is zeroed");
    CHECK(arena_new(arena, int) && arena_array(arena, double, 7), "one object, and seven in a row");
}

static void test_texts(struct arena *arena) {
    char source[] = "text and more";
    char *text = arena_text(arena, source, 4);
    source[0] = 'T';
    CHECK(strcmp(text, "text") == 0, "a text is copied and ends with NUL");
    CHECK(strcmp(arena_text(arena, NULL, 0), "") == 0, "the empty text needs no source");
    CHECK(memcmp(arena_copy(arena, "a\0b", 3), "a\0b", 3) == 0, "bytes are copied as they are");
    CHECK(strcmp(arena_printf(arena, "%s %d", "number", 42), "number 42") == 0, "printf");
    CHECK(strlen(arena_printf(arena, "%5000d", 1)) == 5000, "printf of a long text");
    CHECK(strcmp(arena_dotted(arena, "where", "age"), "where.age") == 0, "a path");
    CHECK(strcmp(arena_dotted(arena, "", ""), ".") == 0, "of nothing");
}

/* A reset arena hands out its first block again, zeroed. */
static void test_reset(struct arena *arena) {
    arena_free(arena);
    char *first = arena_alloc(arena, 100);
    memset(first, 0xAA, 100);
    for (int i = 0; i < 100; i++) arena_alloc(arena, 1000);
    arena_reset(arena);
    char *again = arena_alloc(arena, 100);
    CHECK(again == first && again[0] == 0 && again[99] == 0, "reset keeps the first block");
}

static void test_out_of_memory(struct arena *arena, int *calls) {
    if (setjmp(out_of_memory) == 0) {
        arena_alloc(arena, SIZE_MAX);
        CHECK(false, "an impossible size came back");
    }
    CHECK(*calls == 1, "its owner is told");
    CHECK(arena_alloc(arena, 10) != NULL, "the arena is usable afterwards");
}

int main(void) {
    int calls = 0;
    struct arena arena;
    arena_init(&arena, leave, &calls);
    arena_reset(&arena);
    arena_free(&arena);
    CHECK(!arena.blocks, "an empty arena owns nothing");
    test_memory(&arena);
    test_texts(&arena);
    test_reset(&arena);
    test_out_of_memory(&arena, &calls);
    arena_free(&arena);
    CHECK(!arena.blocks && arena_alloc(&arena, 1), "an arena that was freed is empty and usable");
    arena_free(&arena);
    return check_done();
}
