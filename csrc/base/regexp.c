#define _POSIX_C_SOURCE 200809L         /* locale_t; before any header */

#include "base/regexp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

enum {
    DEPTH = 100,                        /* of groups inside groups */
    LARGEST_BOUND = 255,
    LARGEST_CODE = 5000,                /* instructions */
    NODES = 3 * REGEXP_LENGTH + 8,      /* a group is two, a repetition one more */
    UNBOUNDED = -1,
};

/* A pattern becomes a tree, the tree becomes instructions, and the instructions are followed along all ways at once. */

enum kind { KIND_CHARACTER, KIND_ANY, KIND_SET, KIND_BEGIN, KIND_END, KIND_SEQUENCE, KIND_ALTERNATIVES, KIND_REPEAT };

struct node {
    enum kind kind;
    struct node *child, *next;          /* first child; next among the parent's children */
    uint32_t character;
    int first, count;                   /* KIND_SET: its ranges */
    bool negated;
    int low, high;                      /* KIND_REPEAT */
};

/* Characters from low to high, or those of a class. */
struct range {
    uint32_t low, high;
    wctype_t class;                     /* 0: none */
};

enum op { OP_CHARACTER, OP_ANY, OP_SET, OP_NOT_SET, OP_BEGIN, OP_END, OP_JUMP, OP_SPLIT, OP_MATCH };

struct instruction {
    enum op op;
    uint32_t a, b;                      /* character · first range, ranges · where to go (SPLIT: two ways) */
};

struct regexp {
    bool fold;
    locale_t letters;
    int count;
    struct instruction *code;
    struct range *ranges;
    uint64_t *marks, moment;            /* marks[i] == moment: instruction i is in the list already */
    int *lists;                         /* room for the three: */
    int *now, *next, *stack;            /* instructions that read the next character; those after it; those to visit */
    int now_count, next_count;
};

/* ----------------------------------------------------------------------------------------------------- characters */

static int sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/* Reads one character and goes behind it; a byte that begins none becomes 0xDC00 + byte, which no text holds. */
static uint32_t read_character(const char **at, const char *end) {
    static const unsigned char lead_bits[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    const unsigned char *bytes = (const unsigned char *)*at;
    int length = sequence_length(bytes[0]);
    if (length == 1) return ++*at, bytes[0];
    uint32_t character = bytes[0] & lead_bits[length];
    bool whole = length > 0 && end - *at >= length;
    for (int i = 1; whole && i < length; i++) {
        whole = (bytes[i] & 0xC0) == 0x80;
        character = character << 6 | (bytes[i] & 0x3F);
    }
    *at += whole ? length : 1;
    return whole ? character : 0xDC00u + bytes[0];
}

/* --------------------------------------------------------------------------------------------------------- parsing */

struct parser {
    const char *at, *end;
    const char *fault;                  /* the first one stays */
    locale_t letters;
    int depth, node_count, range_count;
    struct node nodes[NODES];
    struct range ranges[REGEXP_LENGTH];
};

static void set_fault(struct parser *parser, const char *fault) {
    if (!parser->fault) parser->fault = fault;
}

static struct node *node_new(struct parser *parser, enum kind kind) {
    struct node *node = &parser->nodes[parser->node_count++];
    *node = (struct node){ .kind = kind };
    return node;
}

static bool sees(const struct parser *parser, char c) {
    return parser->at < parser->end && *parser->at == c;
}

static bool sees_any(const struct parser *parser, const char *characters) {
    return parser->at < parser->end && *parser->at && strchr(characters, *parser->at);
}

static bool accept(struct parser *parser, char c) {
    if (!sees(parser, c)) return false;
    parser->at++;
    return true;
}

/* Reads `[:alpha:]`; the parser stands behind the opening bracket. */
static void read_class(struct parser *parser, struct range *range) {
    char name[16];
    size_t len = 0;
    parser->at++;
    while (parser->at < parser->end && *parser->at != ':' && len < sizeof name - 1) name[len++] = *parser->at++;
    name[len] = '\0';
    range->class = wctype_l(name, parser->letters);
    if (!range->class || !accept(parser, ':') || !accept(parser, ']')) set_fault(parser, "no such class of characters");
}

/* Reads one character of a set. Engines differ about a backslash there, except when it is doubled. */
static uint32_t read_member(struct parser *parser) {
    if (parser->at == parser->end) return 0;
    if (accept(parser, '\\') && !sees(parser, '\\')) set_fault(parser, "a backslash in brackets must be doubled");
    return parser->at < parser->end ? read_character(&parser->at, parser->end) : 0;
}

static void read_range(struct parser *parser, struct range *range) {
    *range = (struct range){ .class = 0 };
    if (accept(parser, '[')) {
        range->low = range->high = '[';
        if (sees_any(parser, ".=")) set_fault(parser, "collating elements are not supported");
        if (sees(parser, ':')) read_class(parser, range);
        return;
    }
    range->low = range->high = read_member(parser);
    bool to_another = parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']';
    if (!to_another) return;
    parser->at++;
    range->high = read_member(parser);
    if (range->low > range->high) set_fault(parser, "a range goes backwards");
}

/* The parser stands behind the opening bracket. */
static struct node *parse_set(struct parser *parser) {
    struct node *set = node_new(parser, KIND_SET);
    set->negated = accept(parser, '^');
    set->first = parser->range_count;
    do {
        read_range(parser, &parser->ranges[parser->range_count++]);
    } while (!parser->fault && parser->at < parser->end && !sees(parser, ']'));
    if (!accept(parser, ']')) set_fault(parser, "a bracket is left open");
    set->count = parser->range_count - set->first;
    return set;
}

static struct node *parse_character(struct parser *parser) {
    struct node *node = node_new(parser, KIND_CHARACTER);
    node->character = read_character(&parser->at, parser->end);
    return node;
}

static struct node *parse_escaped(struct parser *parser) {
    static const char ordinary[] = "^.[]$()|*+?{}\\/-,;:#&%~@!=\"_";
    if (!sees_any(parser, ordinary)) {
        set_fault(parser, "a backslash may only stand before punctuation");
        return node_new(parser, KIND_SEQUENCE);
    }
    return parse_character(parser);
}

static struct node *parse_alternatives(struct parser *parser);

static struct node *parse_group(struct parser *parser) {
    if (++parser->depth > DEPTH) {
        set_fault(parser, "groups are nested too deeply");
        return node_new(parser, KIND_SEQUENCE);
    }
    struct node *group = parse_alternatives(parser);
    parser->depth--;
    if (!accept(parser, ')')) set_fault(parser, "a parenthesis is left open");
    return group;
}

static struct node *parse_atom(struct parser *parser) {
    if (sees_any(parser, "*+?{")) set_fault(parser, "there is nothing to repeat");
    if (accept(parser, '(')) return parse_group(parser);
    if (accept(parser, '[')) return parse_set(parser);
    if (accept(parser, '\\')) return parse_escaped(parser);
    if (accept(parser, '.')) return node_new(parser, KIND_ANY);
    if (accept(parser, '^')) return node_new(parser, KIND_BEGIN);
    if (accept(parser, '$')) return node_new(parser, KIND_END);
    return parse_character(parser);
}

static int read_number(struct parser *parser) {
    int number = 0;
    if (!sees_any(parser, "0123456789")) set_fault(parser, "a bound needs a number");
    while (sees_any(parser, "0123456789") && number <= LARGEST_BOUND) number = number * 10 + (*parser->at++ - '0');
    if (number > LARGEST_BOUND) set_fault(parser, "a bound is larger than 255");
    return number;
}

static void read_bound(struct parser *parser, struct node *repeat) {
    repeat->low = repeat->high = read_number(parser);
    if (accept(parser, ',')) repeat->high = sees(parser, '}') ? UNBOUNDED : read_number(parser);
    if (!accept(parser, '}')) set_fault(parser, "a bound is left open");
    if (repeat->high != UNBOUNDED && repeat->low > repeat->high) set_fault(parser, "a bound goes backwards");
}

static struct node *parse_repeat(struct parser *parser, struct node *atom) {
    if (!sees_any(parser, "*+?{")) return atom;
    if (atom->kind == KIND_BEGIN || atom->kind == KIND_END) set_fault(parser, "there is nothing to repeat");
    struct node *repeat = node_new(parser, KIND_REPEAT);
    repeat->child = atom;
    char how = *parser->at++;
    repeat->low = how == '+';
    repeat->high = how == '?' ? 1 : UNBOUNDED;
    if (how == '{') read_bound(parser, repeat);
    if (sees_any(parser, "*+?{")) set_fault(parser, "two repetitions follow each other");
    return repeat;
}

static struct node *parse_sequence(struct parser *parser) {
    struct node *sequence = node_new(parser, KIND_SEQUENCE);
    struct node **last = &sequence->child;
    while (!parser->fault && parser->at < parser->end && !sees_any(parser, "|)")) {
        *last = parse_repeat(parser, parse_atom(parser));
        last = &(*last)->next;
    }
    return sequence;
}

static struct node *parse_alternatives(struct parser *parser) {
    struct node *alternatives = node_new(parser, KIND_ALTERNATIVES);
    struct node **last = &alternatives->child;
    do {
        *last = parse_sequence(parser);
        last = &(*last)->next;
    } while (!parser->fault && accept(parser, '|'));
    return alternatives;
}

static struct node *parse(struct parser *parser) {
    struct node *tree = parse_alternatives(parser);
    if (parser->at < parser->end) set_fault(parser, "a parenthesis was never opened");
    return tree;
}

/* ----------------------------------------------------------------------------------------------------- instructions */

/* Without code it only counts. Every node makes one instruction at least, so that the limit ends nested bounds too. */
struct emitter {
    struct instruction *code;
    int count;
};

static int emit(struct emitter *emitter, enum op op, uint32_t a, uint32_t b) {
    if (emitter->code) emitter->code[emitter->count] = (struct instruction){ .op = op, .a = a, .b = b };
    return emitter->count++;
}

static int emit_jump(struct emitter *emitter, enum op op) {
    return emit(emitter, op, (uint32_t)emitter->count + 1, (uint32_t)emitter->count + 1);
}

/* Lets the last way of a jump or split lead to where the emitter stands. */
static void land(struct emitter *emitter, int from) {
    if (!emitter->code) return;
    struct instruction *jump = &emitter->code[from];
    *(jump->op == OP_SPLIT ? &jump->b : &jump->a) = (uint32_t)emitter->count;
}

static void emit_node(struct emitter *emitter, const struct node *node);

static void emit_alternatives(struct emitter *emitter, const struct node *first) {
    if (!first->next) {
        emit_node(emitter, first);
        return;
    }
    int split = emit_jump(emitter, OP_SPLIT);
    emit_node(emitter, first);
    int jump = emit_jump(emitter, OP_JUMP);
    land(emitter, split);
    emit_alternatives(emitter, first->next);
    land(emitter, jump);
}

static void emit_loop(struct emitter *emitter, const struct node *child) {
    int split = emit_jump(emitter, OP_SPLIT);
    emit_node(emitter, child);
    emit(emitter, OP_JUMP, (uint32_t)split, 0);
    land(emitter, split);
}

static void emit_optional(struct emitter *emitter, const struct node *child) {
    int split = emit_jump(emitter, OP_SPLIT);
    emit_node(emitter, child);
    land(emitter, split);
}

static void emit_repeat(struct emitter *emitter, const struct node *repeat) {
    emit_jump(emitter, OP_JUMP);
    for (int i = 0; i < repeat->low; i++) emit_node(emitter, repeat->child);
    for (int i = repeat->low; i < repeat->high; i++) emit_optional(emitter, repeat->child);
    if (repeat->high == UNBOUNDED) emit_loop(emitter, repeat->child);
}

static void emit_sequence(struct emitter *emitter, const struct node *sequence) {
    emit_jump(emitter, OP_JUMP);
    for (const struct node *child = sequence->child; child; child = child->next) emit_node(emitter, child);
}

static void emit_set(struct emitter *emitter, const struct node *set) {
    emit(emitter, set->negated ? OP_NOT_SET : OP_SET, (uint32_t)set->first, (uint32_t)set->count);
}

static void emit_node(struct emitter *emitter, const struct node *node) {
    if (emitter->count > LARGEST_CODE) return;
    switch (node->kind) {
    case KIND_CHARACTER:    emit(emitter, OP_CHARACTER, node->character, 0); break;
    case KIND_ANY:          emit(emitter, OP_ANY, 0, 0); break;
    case KIND_SET:          emit_set(emitter, node); break;
    case KIND_BEGIN:        emit(emitter, OP_BEGIN, 0, 0); break;
    case KIND_END:          emit(emitter, OP_END, 0, 0); break;
    case KIND_SEQUENCE:     emit_sequence(emitter, node); break;
    case KIND_ALTERNATIVES: emit_alternatives(emitter, node->child); break;
    case KIND_REPEAT:       emit_repeat(emitter, node); break;
    }
}

static int emit_all(const struct node *tree, struct instruction *code) {
    struct emitter emitter = { .code = code };
    emit_node(&emitter, tree);
    emit(&emitter, OP_MATCH, 0, 0);
    return emitter.count;
}

static void fold_characters(struct regexp *regexp) {
    for (int i = 0; regexp->fold && i < regexp->count; i++)
        if (regexp->code[i].op == OP_CHARACTER) regexp->code[i].a = towlower_l(regexp->code[i].a, regexp->letters);
}

static bool make_room(struct regexp *regexp, int ranges) {
    size_t count = (size_t)regexp->count;
    regexp->code = calloc(count, sizeof *regexp->code);
    regexp->marks = calloc(count, sizeof *regexp->marks);
    regexp->lists = calloc(4 * count + 1, sizeof *regexp->lists);
    regexp->ranges = calloc((size_t)ranges + 1, sizeof *regexp->ranges);
    if (!regexp->code || !regexp->marks || !regexp->lists || !regexp->ranges) return false;
    regexp->now = regexp->lists;
    regexp->next = regexp->now + count;
    regexp->stack = regexp->next + count;       /* each instruction puts two on it at most, once */
    return true;
}

static struct regexp *build(const struct parser *parser, const struct node *tree, int count, bool fold) {
    struct regexp *regexp = calloc(1, sizeof *regexp);
    if (!regexp) return NULL;
    *regexp = (struct regexp){ .fold = fold, .letters = parser->letters, .count = count };
    if (!make_room(regexp, parser->range_count)) return regexp_free(regexp), NULL;
    memcpy(regexp->ranges, parser->ranges, (size_t)parser->range_count * sizeof *regexp->ranges);
    emit_all(tree, regexp->code);
    fold_characters(regexp);
    return regexp;
}

static struct regexp *compile(struct parser *parser, bool fold, const char **fault) {
    const struct node *tree = parse(parser);
    *fault = parser->fault;
    if (*fault) return NULL;
    int count = emit_all(tree, NULL);
    if (count <= LARGEST_CODE) return build(parser, tree, count, fold);
    *fault = "its bounds make it too large";
    return NULL;
}

struct regexp *regexp_new(const char *pattern, size_t len, bool fold, locale_t letters, const char **fault) {
    *fault = "it is longer than 1000 bytes";
    if (len > REGEXP_LENGTH) return NULL;
    *fault = NULL;
    struct parser *parser = malloc(sizeof *parser);
    if (!parser) return NULL;
    parser->at = pattern;
    parser->end = pattern + len;
    parser->fault = NULL;
    parser->letters = letters;
    parser->depth = parser->node_count = parser->range_count = 0;
    struct regexp *regexp = compile(parser, fold, fault);
    free(parser);
    return regexp;
}

void regexp_free(void *memory) {
    struct regexp *regexp = memory;
    if (!regexp) return;
    free(regexp->code);
    free(regexp->marks);
    free(regexp->lists);
    free(regexp->ranges);
    free(regexp);
}

/* -------------------------------------------------------------------------------------------------------- matching */

/* Where the matcher stands in the text. */
struct place {
    bool begin, end;
};

static bool in_ranges(const struct regexp *regexp, const struct instruction *set, uint32_t character) {
    const struct range *range = &regexp->ranges[set->a], *end = range + set->b;
    for (; range < end; range++) {
        if (range->class ? iswctype_l(character, range->class, regexp->letters) != 0
                         : character >= range->low && character <= range->high) return true;
    }
    return false;
}

static bool in_set(const struct regexp *regexp, const struct instruction *set, uint32_t character) {
    if (in_ranges(regexp, set, character)) return true;
    return regexp->fold && (in_ranges(regexp, set, towlower_l(character, regexp->letters))
                            || in_ranges(regexp, set, towupper_l(character, regexp->letters)));
}

static bool takes(const struct regexp *regexp, const struct instruction *instruction, uint32_t character) {
    switch (instruction->op) {
    case OP_CHARACTER: return instruction->a == (regexp->fold ? towlower_l(character, regexp->letters) : character);
    case OP_ANY:       return true;
    case OP_SET:       return in_set(regexp, instruction, character);
    case OP_NOT_SET:   return !in_set(regexp, instruction, character);
    default:           return false;
    }
}

/* Adds to the next list what is reached from `start` without reading a character; true: the end of the pattern is. */
static bool reach(struct regexp *regexp, int start, struct place place) {
    int depth = 0;
    regexp->stack[depth++] = start;
    while (depth > 0) {
        int index = regexp->stack[--depth];
        if (regexp->marks[index] == regexp->moment) continue;
        regexp->marks[index] = regexp->moment;
        const struct instruction *instruction = &regexp->code[index];
        switch (instruction->op) {
        case OP_MATCH: return true;
        case OP_SPLIT: regexp->stack[depth++] = (int)instruction->b;    /* fall through */
        case OP_JUMP:  regexp->stack[depth++] = (int)instruction->a; break;
        case OP_BEGIN: if (place.begin) regexp->stack[depth++] = index + 1; break;
        case OP_END:   if (place.end) regexp->stack[depth++] = index + 1; break;
        default:       regexp->next[regexp->next_count++] = index;
        }
    }
    return false;
}

/* What was next is now. */
static void move_on(struct regexp *regexp) {
    int *list = regexp->now;
    regexp->now = regexp->next;
    regexp->now_count = regexp->next_count;
    regexp->next = list;
    regexp->next_count = 0;
    regexp->moment++;
}

bool regexp_matches(struct regexp *regexp, const char *text, size_t len) {
    const char *at = text, *end = text + len;
    regexp->next_count = 0;
    regexp->moment++;
    for (bool found = false; !found;) {
        struct place place = { .begin = at == text, .end = at == end };
        if (reach(regexp, 0, place)) return true;
        if (at == end) return false;
        uint32_t character = read_character(&at, end);
        place = (struct place){ .end = at == end };
        move_on(regexp);
        for (int i = 0; !found && i < regexp->now_count; i++)
            found = takes(regexp, &regexp->code[regexp->now[i]], character) && reach(regexp, regexp->now[i] + 1, place);
    }
    return true;
}

locale_t regexp_letters(void) {
    static const char *const names[] = { "C.UTF-8", "C.utf8", "en_US.UTF-8", "C" };
    locale_t letters = (locale_t)0;
    for (size_t i = 0; !letters && i < sizeof names / sizeof names[0]; i++)
        letters = newlocale(LC_CTYPE_MASK, names[i], (locale_t)0);
    return letters;
}

const char *regexp_fault(const char *pattern, size_t len) {
    const char *fault = NULL;
    locale_t letters = regexp_letters();
    struct regexp *regexp = letters ? regexp_new(pattern, len, false, letters, &fault) : NULL;
    if (!regexp && !fault) fault = "out of memory";
    regexp_free(regexp);
    if (letters) freelocale(letters);
    return fault;
}
