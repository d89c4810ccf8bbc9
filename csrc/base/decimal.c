#include "base/decimal.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exponents beyond this are cut: powers of ten stay far inside int64, and nothing of that size is ever written. */
enum { EXPONENT_LIMIT = 1000000000 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* ------------------------------------------------------------------------------------------------------- reading */

static size_t count_digits(const char *text, const char *end) {
    const char *at = text;
    while (at < end && is_digit(*at)) at++;
    return (size_t)(at - text);
}

/* Reads `e[+-]digits` up to the end of the text. */
static bool read_exponent(const char *at, const char *end, int64_t *exponent) {
    if (*at != 'e' && *at != 'E') return false;
    bool negative = ++at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end || count_digits(at, end) != (size_t)(end - at)) return false;
    int64_t power = 0;
    for (; at < end && power < EXPONENT_LIMIT; at++) power = power * 10 + (*at - '0');
    if (power > EXPONENT_LIMIT) power = EXPONENT_LIMIT;
    *exponent = negative ? -power : power;
    return true;
}

/* The digit that stands at this power of ten. */
static char digit_at(const struct decimal *number, int64_t power) {
    int64_t place = power - number->exponent;
    if (place >= 0)
        return place < (int64_t)number->whole_len ? number->whole[(int64_t)number->whole_len - 1 - place] : '0';
    return -place <= (int64_t)number->fraction_len ? number->fraction[-place - 1] : '0';
}

/* Finds the first and last digit that is not 0. */
static void find_ends(struct decimal *number) {
    number->top = number->exponent + (int64_t)number->whole_len - 1;
    number->bottom = number->exponent - (int64_t)number->fraction_len;
    while (number->top >= number->bottom && digit_at(number, number->top) == '0') number->top--;
    while (number->bottom <= number->top && digit_at(number, number->bottom) == '0') number->bottom++;
}

static bool is_zero(const struct decimal *number) {
    return number->top < number->bottom;
}

bool decimal_read(struct decimal *number, const char *text, size_t len) {
    const char *at = text, *end = text + len;
    *number = (struct decimal){ .negative = len > 0 && *text == '-' };
    if (at < end && (*at == '-' || *at == '+')) at++;
    number->whole = at;
    number->whole_len = count_digits(at, end);
    at += number->whole_len;
    if (at < end && *at == '.') {
        number->fraction = ++at;
        number->fraction_len = count_digits(at, end);
        at += number->fraction_len;
    }
    if (number->whole_len + number->fraction_len == 0) return false;
    if (at < end && !read_exponent(at, end, &number->exponent)) return false;
    find_ends(number);
    return true;
}

/* ------------------------------------------------------------------------------------------------------- writing */

/* Adds one to the last digit of a text of digits and a point; true if it carries out of the first one. */
static bool add_one(char *text, size_t len) {
    while (len-- > 0) {
        if (text[len] == '.') continue;
        if (text[len] != '9') {
            text[len]++;
            return false;
        }
        text[len] = '0';
    }
    return true;
}

/* The point counts as a zero. */
static bool all_zero(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (text[i] != '0' && text[i] != '.') return false;
    return true;
}

/* Writes the digits from `from` down to 10^-scale, with the point. */
static size_t put_digits(const struct decimal *number, int64_t from, int scale, char *out) {
    size_t len = 0;
    for (int64_t power = from; power >= -scale; power--) {
        if (power == -1) out[len++] = '.';
        out[len++] = digit_at(number, power);
    }
    return len;
}

size_t decimal_write(const struct decimal *number, int scale, char *out, size_t size) {
    bool zero = is_zero(number);
    if (scale < 0) {
        if (!zero && number->bottom < -DECIMAL_DIGITS) return 0;
        scale = zero || number->bottom > 0 ? 0 : (int)-number->bottom;
    }
    int64_t from = zero || number->top < 0 ? 0 : number->top;
    if (from >= DECIMAL_DIGITS || (size_t)(from + scale) + 5 > size) return 0;     /* sign, carry, point, NUL */

    char *digits = out + 2;
    size_t len = put_digits(number, from, scale, digits);
    if (!zero && digit_at(number, -(int64_t)scale - 1) >= '5' && add_one(digits, len)) {
        *--digits = '1';
        len++;
    }
    if (number->negative && !all_zero(digits, len)) {
        *--digits = '-';
        len++;
    }
    memmove(out, digits, len);
    out[len] = '\0';
    return len;
}

size_t decimal_round(const char *text, size_t len, int scale, char *out, size_t size) {
    struct decimal number;
    return decimal_read(&number, text, len) ? decimal_write(&number, scale, out, size) : 0;
}

int decimal_whole_digits(const char *text, size_t len) {
    const char *at = text, *end = text + len;
    if (at < end && *at == '-') at++;
    size_t count = count_digits(at, end);
    return count == 1 && *at == '0' ? 0 : (int)count;
}

bool decimal_is_canonical(const char *text, size_t len, int scale) {
    const char *end = text + len, *at = text;
    bool negative = at < end && *at == '-';
    if (negative) at++;
    const char *whole = at;
    size_t count = count_digits(at, end);
    at += count;
    if (scale == DECIMAL_NATURAL || count == 0 || (count > 1 && *whole == '0')) return false;
    if (negative && all_zero(whole, (size_t)(end - whole))) return false;
    if (scale == 0) return at == end;
    return end - at == scale + 1 && *at == '.' && count_digits(at + 1, end) == (size_t)scale;
}

/* ----------------------------------------------------------------------------------------------------- comparing */

static int sign(int64_t number) {
    return (number > 0) - (number < 0);
}

static int compare_bytes(const char *a, size_t alen, const char *b, size_t blen) {
    size_t both = alen < blen ? alen : blen;
    int order = both ? memcmp(a, b, both) : 0;
    return order ? order : (alen > blen) - (alen < blen);
}

/* Both are not zero; signs are left aside. With equal tops the loop is no longer than the longer text. */
static int compare_magnitude(const struct decimal *a, const struct decimal *b) {
    if (a->top != b->top) return a->top < b->top ? -1 : 1;
    int64_t bottom = a->bottom < b->bottom ? a->bottom : b->bottom;
    for (int64_t power = a->top; power >= bottom; power--) {
        int order = digit_at(a, power) - digit_at(b, power);
        if (order) return order;
    }
    return 0;
}

static int compare_numbers(const struct decimal *a, const struct decimal *b) {
    int asign = is_zero(a) ? 0 : a->negative ? -1 : 1;
    int bsign = is_zero(b) ? 0 : b->negative ? -1 : 1;
    if (asign != bsign) return sign(asign - bsign);
    if (asign == 0) return 0;
    return asign * sign(compare_magnitude(a, b));
}

int decimal_compare(const char *a, size_t alen, const char *b, size_t blen) {
    struct decimal x, y;
    bool a_is = decimal_read(&x, a, alen), b_is = decimal_read(&y, b, blen);
    if (a_is && b_is) return compare_numbers(&x, &y);
    if (a_is != b_is) return a_is ? -1 : 1;
    return compare_bytes(a, alen, b, blen);
}

/* ---------------------------------------------------------------------------------------------------- exact sums */

enum {
    GROUP_DIGITS = 9,
    GROUP = 1000000000,
    BELOW_POINT = DECIMAL_GROUPS / 2,           /* index of the group of units */
    MOST_PENDING = 1 << 30,                     /* additions of less than GROUP that an int64 surely holds */
};

/* Brings every group but the highest into 0 … GROUP - 1. */
static void carry(struct decimal_sum *sum) {
    for (int i = 0; i < DECIMAL_GROUPS - 1; i++) {
        int64_t value = sum->groups[i];
        if (value >= 0 && value < GROUP) continue;
        int64_t over = value / GROUP - (value % GROUP < 0);
        sum->groups[i] = value - over * GROUP;
        sum->groups[i + 1] += over;
    }
    sum->pending = 0;
}

static int64_t floor_group(int64_t power) {
    return power >= 0 ? power / GROUP_DIGITS : -((-power + GROUP_DIGITS - 1) / GROUP_DIGITS);
}

/* The nine digits of which the lowest stands at 10^(9 * group). */
static int64_t group_of(const struct decimal *number, int64_t group) {
    int64_t value = 0;
    for (int i = GROUP_DIGITS - 1; i >= 0; i--) value = value * 10 + (digit_at(number, group * GROUP_DIGITS + i) - '0');
    return value;
}

bool decimal_sum_add(struct decimal_sum *sum, const char *text, size_t len) {
    struct decimal number;
    if (!decimal_read(&number, text, len)) return false;
    if (is_zero(&number)) return true;
    if (number.top >= DECIMAL_DIGITS || number.bottom < -DECIMAL_DIGITS) return false;
    if (++sum->pending >= MOST_PENDING) carry(sum);
    int64_t last = floor_group(number.top);
    for (int64_t group = floor_group(number.bottom); group <= last; group++) {
        int64_t value = group_of(&number, group);
        sum->groups[BELOW_POINT + group] += number.negative ? -value : value;
    }
    return true;
}

/* Makes all groups of one sign positive; true if the sum is negative. */
static bool take_sign(struct decimal_sum *sum) {
    carry(sum);
    if (sum->groups[DECIMAL_GROUPS - 1] >= 0) return false;
    for (int i = 0; i < DECIMAL_GROUPS; i++) sum->groups[i] = -sum->groups[i];
    carry(sum);
    return true;
}

static void put_group(int64_t value, char *out) {
    for (int i = GROUP_DIGITS; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
}

/* Index of the first group from `from` on, in steps of `step`, that is not 0; `stop` if there is none before it. */
static int find_group(const struct decimal_sum *sum, int from, int stop, int step) {
    while (from != stop && sum->groups[from] == 0) from += step;
    return from;
}

size_t decimal_sum_text(const struct decimal_sum *sum, int scale, char *out, size_t size) {
    char digits[DECIMAL_GROUPS * GROUP_DIGITS];
    struct decimal_sum copy = *sum;
    struct decimal number = { .negative = take_sign(&copy), .whole = digits };
    int highest = find_group(&copy, DECIMAL_GROUPS - 1, BELOW_POINT, -1);
    int lowest = find_group(&copy, 0, BELOW_POINT, 1);
    for (int i = highest; i >= lowest; i--) put_group(copy.groups[i], digits + (highest - i) * GROUP_DIGITS);
    number.whole_len = (size_t)(highest - BELOW_POINT + 1) * GROUP_DIGITS;
    number.fraction = digits + number.whole_len;
    number.fraction_len = (size_t)(BELOW_POINT - lowest) * GROUP_DIGITS;
    find_ends(&number);
    return decimal_write(&number, scale, out, size);
}

/* ------------------------------------------------------------------------------------------------ doubles, integers */

/* The host may have set a locale with a decimal comma; texts of numbers here always have a point. */
static size_t with_point(char *text, size_t len) {
    const char *point = localeconv()->decimal_point;
    char *found = point[0] == '.' ? NULL : strstr(text, point);
    if (!found) return len;
    size_t width = strlen(point);
    *found = '.';
    memmove(found + 1, found + width, len - (size_t)(found - text) - width + 1);
    return len + 1 - width;
}

static size_t print_real(double real, int digits, char *out) {
    size_t len = (size_t)snprintf(out, REAL_TEXT, "%.*g", digits, real);
    return with_point(out, len);
}

/* Appends ".0" to a text that looks like an integer. */
static size_t mark_real(char *text, size_t len) {
    if (strspn(text, "-0123456789") < len) return len;
    memcpy(text + len, ".0", 3);
    return len + 2;
}

/* Of so many digits each number is an exact double. */
enum { EXACT_DIGITS = 15 };
static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

/* Fifteen digits and their power of ten are exact doubles, so that one division rounds right (Clinger). False: the text is
 * none of these, or doubles are computed with more digits here. */
static bool read_short(const char *text, size_t len, double *real) {
    const char *at = text, *end = text + len;
    bool negative = at < end && *at == '-';
    if (negative) at++;
    size_t whole = count_digits(at, end), fraction = 0;
    if (!whole || FLT_EVAL_METHOD != 0) return false;
    if (at + whole < end && at[whole] == '.') fraction = count_digits(at + whole + 1, end);
    size_t dot = fraction ? 1 : 0;
    if (whole + fraction > EXACT_DIGITS || at + whole + dot + fraction != end) return false;
    int64_t digits = 0;
    for (; at < end; at++)
        if (*at != '.') digits = digits * 10 + (*at - '0');
    *real = (double)digits / powers[fraction];
    if (negative) *real = -*real;
    return true;
}

/* A number of few digits behind the point, as most are, with a point: the digits and their power of ten give it back, so no
 * other text of fifteen digits could. 0: it is none of these. */
static size_t short_text(double real, char *out) {
    enum { FRACTION = 4 };
    int power = 0;
    while (power < FRACTION && real * powers[power] != trunc(real * powers[power])) power++;
    double scaled = fabs(real * powers[power]);
    if (!(scaled < powers[EXACT_DIGITS]) || scaled != trunc(scaled) || scaled / powers[power] != fabs(real)) return 0;
    int64_t digits = (int64_t)scaled;
    for (; power && digits % 10 == 0; digits /= 10) power--;        /* what looked like a fraction was an error of the product */
    int64_t unit = (int64_t)powers[power];
    size_t sign = signbit(real) ? 1 : 0;
    if (sign) *out = '-';
    size_t point = sign + integer_text(digits / unit, out + sign);
    size_t len = point + integer_text(unit + digits % unit, out + point);
    out[point] = '.';                           /* where the leading 1 of the fraction was */
    if (!power) strcpy(out + len++, "0");
    return len;
}

size_t real_text(double real, char *out) {
    size_t len = short_text(real, out);
    if (len) return len;
    for (int digits = 15; digits <= 17; digits++) {
        len = print_real(real, digits, out);
        if (digits == 17 || real_read(out, len) == real) break;
    }
    return mark_real(out, len);
}

double real_of_single(float single) {
    char text[REAL_TEXT];
    for (int digits = 6; isfinite(single) && digits <= 9; digits++) {
        double real = real_read(text, print_real((double)single, digits, text));
        if ((float)real == single) return real;
    }
    return (double)single;
}

size_t real_text_lua(double real, char *out) {
    return mark_real(out, print_real(real, 14, out));
}

size_t integer_text(int64_t integer, char *out) {
    char digits[24];
    size_t count = 0, len = 0;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    do digits[count++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (integer < 0) out[len++] = '-';
    while (count > 0) out[len++] = digits[--count];
    out[len] = '\0';
    return len;
}

/* A number of which strtod needs no more than this: 767 digits decide any double. */
enum { REAL_DIGITS = 780 };

/* Writes the digits that matter as an integer with an exponent. */
static void shorten(const struct decimal *number, char *out) {
    int64_t power = number->top;
    if (number->negative) *out++ = '-';
    for (int i = 0; i < REAL_DIGITS && power >= number->bottom; i++, power--) *out++ = digit_at(number, power);
    *out++ = 'e';
    integer_text(power + 1, out);
}

double real_read(const char *text, size_t len) {
    char copy[REAL_DIGITS + REAL_TEXT];
    struct decimal number;
    double real;
    if (read_short(text, len, &real)) return real;
    if (len < REAL_DIGITS) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    } else {
        if (!decimal_read(&number, text, len) || is_zero(&number)) return 0;
        shorten(&number, copy);
    }
    char point = localeconv()->decimal_point[0], *found = point == '.' ? NULL : strchr(copy, '.');
    if (found) *found = point;
    return strtod(copy, NULL);
}

bool integer_read(const char *text, size_t len, int64_t *integer) {
    const char *at = text, *end = text + len;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end) return false;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, value = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9 || value > (limit - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *integer = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}
