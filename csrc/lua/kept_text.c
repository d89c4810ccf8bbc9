#include "lua/kept_text.h"

enum { MOST_TEXTS = 32 };

const struct statement *kept_statement(struct call *call, const struct kept_text *kept, const struct model *model,
                                       const struct value *params, int count, enum statement_kind kind) {
    if (!kept->text || kept->generation != model->generation) return NULL;
    struct statement *statement = arena_new(&call->arena, struct statement);
    statement->text = kept->text;
    statement->len = kept->len;
    statement->params = params;
    statement->param_count = count;
    statement->kind = kind;
    return statement;
}

bool keep_text(struct call *call, struct kept_text *kept, const struct model *model, const struct statement *statement) {
    if (kept->made == MOST_TEXTS) return false;
    call->db->L = call->L;
    const char *text = arena_text(&call->db->arena, statement->text, statement->len);
    *kept = (struct kept_text){ text, statement->len, model->generation, kept->made + 1 };
    return true;
}

const struct statement *kept_write(struct call *call, const struct cached_write *cached, const struct model *model, uint64_t columns,
                                   const struct value *params, int count) {
    if (!columns || cached->columns != columns) return NULL;
    return kept_statement(call, &cached->kept, model, params, count, STATEMENT_WRITE);
}

void keep_write(struct call *call, struct cached_write *cached, const struct model *model, uint64_t columns,
                const struct statement *statement) {
    if (columns && statement && keep_text(call, &cached->kept, model, statement)) cached->columns = columns;
}
