/* Kinds of associations, their verbs and names, the list of a model. */
#include "schema/assoc.h"

#include <string.h>

#include "blog.h"
#include "check.h"
#include "faults.h"

static void test_kinds(void) {
    static const struct {
        const char *name;
        bool many;
        enum key_holder holder;
        int verbs;
    } kinds[] = {
        { "belongsTo", false, HELD_BY_SOURCE, 3 },
        { "hasOne", false, HELD_BY_TARGET, 3 },
        { "hasMany", true, HELD_BY_TARGET, 10 },
        { "belongsToMany", true, HELD_BY_THROUGH, 10 },
    };
    for (int i = 0; i < 4; i++) {
        const struct assoc_kind *kind = assoc_kind_find(kinds[i].name, false);
        int verbs = 0;
        while (kind && kind->verbs[verbs].name) verbs++;
        CHECK(kind && strcmp(kind->name, kinds[i].name) == 0 && kind->many == kinds[i].many
              && kind->holder == kinds[i].holder && verbs == kinds[i].verbs, "%s", kinds[i].name);
    }
    CHECK(!assoc_kind_find("hasmany", false) && !assoc_kind_find("", false), "there is no other kind");
}

/* The method names of an association, in one line. */
static const char *methods(struct arena *arena, const struct assoc *assoc) {
    const char *line = "";
    for (const struct verb_row *verb = assoc->kind->verbs; verb->name; verb++)
        line = arena_printf(arena, "%s%s%s", line, *line ? " " : "", verb_method_name(verb, assoc, arena));
    return line;
}

static void test_method_names(struct arena *arena) {
    struct assoc one = { .kind = assoc_kind_find("hasOne", false), .singular = "homeAddress", .plural = "homeAddresses" };
    CHECK(strcmp(methods(arena, &one), "getHomeAddress setHomeAddress createHomeAddress") == 0, "one row");
    struct assoc many = { .kind = assoc_kind_find("hasMany", false), .singular = "person", .plural = "people" };
    CHECK(strcmp(methods(arena, &many),
                 "getPeople setPeople createPerson addPerson addPeople removePerson removePeople "
                 "hasPerson hasPeople countPeople")
              == 0,
          "many rows");
    struct assoc odd = { .kind = assoc_kind_find("belongsTo", false), .singular = "\xc3\xa9t\xc3\xa9", .plural = "" };
    CHECK(strcmp(methods(arena, &odd), "get\xc3\xa9t\xc3\xa9 set\xc3\xa9t\xc3\xa9 create\xc3\xa9t\xc3\xa9") == 0,
          "a letter beyond ASCII stays as it is");
    odd.singular = "";
    CHECK(strcmp(methods(arena, &odd), "get set create") == 0, "no word at all");
}

static void test_list(struct arena *arena) {
    struct blog blog;
    blog_init(&blog, arena);
    CHECK(assoc_find(blog.post, "author") == blog.author && assoc_find(blog.post, "tags") == blog.tags,
          "found by name");
    CHECK(!assoc_find(blog.post, "posts") && !assoc_find(blog.tag, "author"), "on its source only");
    CHECK(blog.post->assocs == blog.author && blog.author->next == blog.tags, "in order of declaration");
    struct assoc other = *blog.author;
    unsigned generation = blog.post->generation;
    assoc_put(blog.post, &other);
    CHECK(blog.post->assocs == &other && other.next == blog.tags, "one of the same name takes its place");
    CHECK(blog.post->generation > generation, "the model is of a new generation");
}

static void test_hops(struct arena *arena) {
    struct blog blog;
    blog_init(&blog, arena);
    CHECK(assoc_last_hop(blog.tags) == &blog.tags->hops[1] && assoc_last_hop(blog.tags)->next == blog.tag,
          "the last hop");
    CHECK(assoc_through(blog.tags) == blog.post_tag, "the junction");
    CHECK(!assoc_through(blog.posts) && !assoc_through(blog.author), "others have none");
}

static void name_methods(struct arena *arena, void *data) {
    (void)data;
    struct assoc many = { .kind = assoc_kind_find("belongsToMany", false), .singular = "a", .plural = "b" };
    methods(arena, &many);
}

int main(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    test_kinds();
    test_method_names(&arena);
    test_list(&arena);
    test_hops(&arena);
    arena_free(&arena);
    CHECK(survives(name_methods, NULL), "out of memory anywhere leaks nothing");
    return check_done();
}
