#include "schema/assoc.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

static const struct verb_row one_verbs[] = {
    { VERB_GET, "get", "get%S" },
    { VERB_SET, "set", "set%S" },
    { VERB_CREATE, "create", "create%S" },
    { 0, NULL, NULL },
};

static const struct verb_row many_verbs[] = {
    { VERB_GET, "get", "get%P" },
    { VERB_SET, "set", "set%P" },
    { VERB_CREATE, "create", "create%S" },
    { VERB_ADD, "add", "add%S" },
    { VERB_ADD_MULTIPLE, "addMultiple", "add%P" },
    { VERB_REMOVE, "remove", "remove%S" },
    { VERB_REMOVE_MULTIPLE, "removeMultiple", "remove%P" },
    { VERB_HAS, "has", "has%S" },
    { VERB_HAS_MULTIPLE, "hasMultiple", "has%P" },
    { VERB_COUNT, "count", "count%P" },
    { 0, NULL, NULL },
};

static const struct verb_row one_read_verbs[] = {
    { VERB_GET, "get", "get%S" },
    { 0, NULL, NULL },
};

static const struct verb_row many_read_verbs[] = {
    { VERB_GET, "get", "get%P" },
    { VERB_HAS, "has", "has%S" },
    { VERB_HAS_MULTIPLE, "hasMultiple", "has%P" },
    { VERB_COUNT, "count", "count%P" },
    { 0, NULL, NULL },
};

static const struct assoc_kind kinds[] = {
    { "belongsTo",     false, false, HELD_BY_SOURCE,  one_verbs       },
    { "hasOne",        false, false, HELD_BY_TARGET,  one_verbs       },
    { "hasMany",       true,  false, HELD_BY_TARGET,  many_verbs      },
    { "belongsToMany", true,  false, HELD_BY_THROUGH, many_verbs      },
    { "hasOne",        false, true,  HELD_BY_TARGET,  one_read_verbs  },
    { "hasMany",       true,  true,  HELD_BY_TARGET,  many_read_verbs },
};

const struct assoc_kind *assoc_kind_find(const char *name, bool path) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0 && kinds[i].path == path) return &kinds[i];
    return NULL;
}

const struct assoc *assoc_find(const struct model *model, const char *name) {
    const struct assoc *assoc = model->assocs;
    while (assoc && strcmp(assoc->name, name) != 0) assoc = assoc->next;
    return assoc;
}

void assoc_put(struct model *source, struct assoc *assoc) {
    struct assoc **link = &source->assocs;
    while (*link && strcmp((*link)->name, assoc->name) != 0) link = &(*link)->next;
    assoc->next = *link ? (*link)->next : NULL;
    *link = assoc;
    source->generation++;
}

static void add_capitalised(struct buf *buf, const char *word) {
    size_t at = buf->len;
    buf_adds(buf, word);
    char first = buf->text[at];
    if (first >= 'a' && first <= 'z') buf->text[at] = (char)(first - 'a' + 'A');
}

const struct verb_row *assoc_verb(const struct assoc *assoc, enum verb verb) {
    const struct verb_row *row = assoc->kind->verbs;
    while (row->verb != verb) row++;
    return row;
}

const char *verb_method_name(const struct verb_row *verb, const struct assoc *assoc, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, arena);
    const char *mark = strchr(verb->pattern, '%');
    buf_add(&buf, verb->pattern, (size_t)(mark - verb->pattern));
    add_capitalised(&buf, mark[1] == 'P' ? assoc->plural : assoc->singular);
    return buf.text;
}
