/* Models sorted by their foreign keys. A schema is written as "A>B A>C": A refers to B and to C; a lone letter has no
 * key. */
#include "schema/order.h"

#include <string.h>

#include "blog.h"
#include "check.h"
#include "faults.h"

static struct model *letter(struct schema *schema, char c) {
    char name[] = { c, '\0' };
    struct model *model = model_find(schema, name);
    if (model) return model;
    model = model_new(schema, name, name);
    blog_generated_id(model);
    return model;
}

/* A key of its own for every target: "toB". `by_table`: the target is known by its table only. */
static void refer(struct model *model, const struct model *target, bool by_table) {
    static const char *const id[] = { "id" };
    char name[] = { 't', 'o', target->name[0], '\0' };
    ATTR(model, name, .type.id = TYPE_BIGINT);
    struct foreign_key key = { .attrs = blog_list(model, name, NULL), .table = target->table, .columns = id };
    if (!by_table) key.target = target;
    model_add_foreign_key(model, &key);
}

static void define(struct schema *schema, const char *graph, bool by_table) {
    for (const char *c = graph; *c; c++) if (*c != '>' && *c != ' ') letter(schema, *c);
    for (const char *c = graph; *c; c++) if (*c == '>') refer(letter(schema, c[-1]), letter(schema, c[1]), by_table);
}

/* "C B A | B>A": the models in their order, then the late keys. */
static const char *sorted(struct arena *arena, const char *graph, bool by_table) {
    struct schema schema;
    schema_init(&schema, arena);
    define(&schema, graph, by_table);
    struct model_order order = order_models(&schema, arena);
    const char *line = "";
    for (int i = 0; i < order.count; i++)
        line = arena_printf(arena, "%s%s%s", line, i ? " " : "", order.models[i]->name);
    for (int i = 0; i < order.late_count; i++)
        line =
            arena_printf(arena, "%s%s%s>%s", line, i ? " " : " | ", order.late_models[i]->name, order.late[i]->table);
    return line;
}

static const struct {
    const char *name, *graph, *wanted;
} graphs[] = {
    { "no model", "", "" },
    { "order of definition", "C A B", "C A B" },
    { "a reference", "A>B", "B A" },
    { "a chain", "A>B B>C C>D", "D C B A" },
    { "referenced first already", "B A A>B", "B A" },
    { "a diamond", "A>B A>C B>D C>D", "D B C A" },
    { "itself", "A>A", "A" },
    { "a cycle of two", "A>B B>A", "B A | B>A" },
    { "a cycle of three", "A>B B>C C>A", "C B A | C>A" },
    { "a cycle with a tail", "A>B B>C C>B C>D", "D C B A | C>B" },
    { "two cycles", "A>B B>A C>D D>C", "B A D C | B>A D>C" },
    { "two cycles in one model", "A>B B>A A>C C>A", "B C A | B>A C>A" },
    { "a cycle and itself", "A>A A>B B>A", "B A | B>A" },
};

static void test_graphs(struct arena *arena) {
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        for (int by_table = 0; by_table <= 1; by_table++) {
            const char *line = sorted(arena, graphs[i].graph, by_table);
            if (!CHECK(strcmp(line, graphs[i].wanted) == 0, "%s%s", graphs[i].name, by_table ? ", by table" : ""))
                printf("# %s\n", line);
        }
    }
}

static void test_outside(struct arena *arena) {
    static const char *const id[] = { "id" };
    struct schema schema;
    schema_init(&schema, arena);
    struct model *a = letter(&schema, 'A');
    struct foreign_key key = { .attrs = blog_list(a, "id", NULL), .table = "elsewhere", .columns = id };
    model_add_foreign_key(a, &key);
    struct model_order order = order_models(&schema, arena);
    CHECK(order.count == 1 && order.late_count == 0, "a table outside of the schema orders nothing");
}

static void sort_once(struct arena *arena, void *data) {
    sorted(arena, data, false);
}

int main(void) {
    static char graph[] = "A>B B>C C>A A>D";
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    test_graphs(&arena);
    test_outside(&arena);
    arena_free(&arena);
    CHECK(survives(sort_once, graph), "out of memory anywhere leaks nothing");
    return check_done();
}
