#include "internal.h"

#include <string.h>

// Lua's patterns, matched with a count of steps: each step is charged to the computing limit, so no pattern runs unbounded.
// Classes are those of ASCII, whatever the locale.

enum { MAX_DEPTH = 200 };

static int is_upper(int c) { return c >= 'A' && c <= 'Z'; }
static int is_lower(int c) { return c >= 'a' && c <= 'z'; }
static int is_digit(int c) { return c >= '0' && c <= '9'; }
static int is_graph(int c) { return c > 32 && c < 127; }

static int in_class(int c, int name) {
    int result;
    switch (name | 32) {
        case 'a': result = is_upper(c) || is_lower(c); break;
        case 'c': result = c < 32 || c == 127; break;
        case 'd': result = is_digit(c); break;
        case 'g': result = is_graph(c); break;
        case 'l': result = is_lower(c); break;
        case 'p': result = is_graph(c) && !is_upper(c) && !is_lower(c) && !is_digit(c); break;
        case 's': result = c == ' ' || (c >= 9 && c <= 13); break;
        case 'u': result = is_upper(c); break;
        case 'w': result = is_upper(c) || is_lower(c) || is_digit(c); break;
        case 'x': result = is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); break;
        default: return c == name;
    }
    return is_upper(name) ? !result : result;
}

// Past one item (a character, %x or a set), not counting its repetition.
static const char *item_end(struct clua_match *m, const char *p) {
    if (*p == '%') {
        if (p + 1 >= m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 2;
    }
    if (*p != '[') return p + 1;
    const char *start = p++;
    if (p < m->pattern_end && *p == '^') p++;
    // A ']' in the first place is an ordinary member.
    int first = 1;
    while (first || p >= m->pattern_end || *p != ']') {
        if (p >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
        p += *p == '%' && p + 1 < m->pattern_end ? 2 : 1;
        first = 0;
        if (p >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    }
    clua_poll(m->L, (uint64_t)(p - start) / 8);
    return p + 1;
}

// `close` points to the closing bracket.
static int in_set(int c, const char *p, const char *close) {
    int negated = p[1] == '^';
    for (p += 1 + negated; p < close; p++) {
        if (*p == '%') {
            if (in_class(c, (unsigned char)*++p)) return !negated;
        } else if (p + 2 < close && p[1] == '-') {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2]) return !negated;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return !negated;
        }
    }
    return negated;
}

static int item_matches(struct clua_match *m, const char *s, const char *p, const char *end) {
    if (s >= m->source_end) return 0;
    int c = (unsigned char)*s;
    switch (*p) {
        case '.': return 1;
        case '%': return in_class(c, (unsigned char)p[1]);
        case '[':
            clua_poll(m->L, (uint64_t)(end - p) / 8);
            return in_set(c, p, end - 1);
        default: return (unsigned char)*p == c;
    }
}

static const char *balanced(struct clua_match *m, const char *s, const char *p) {
    if (p + 1 >= m->pattern_end) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->source_end || *s != p[0]) return NULL;
    int open = p[0], shut = p[1], level = 1;
    while (++s < m->source_end) {
        clua_poll(m->L, 1);
        if (*s == shut) {
            if (--level == 0) return s + 1;
        } else if (*s == open) {
            level++;
        }
    }
    return NULL;
}

static const char *most(struct clua_match *m, const char *s, const char *p, const char *end) {
    ptrdiff_t count = 0;
    while (item_matches(m, s + count, p, end)) {
        count++;
        clua_poll(m->L, 1);
    }
    for (; count >= 0; count--) {
        const char *result = clua_match_at(m, s + count, end + 1);
        if (result) return result;
    }
    return NULL;
}

static const char *fewest(struct clua_match *m, const char *s, const char *p, const char *end) {
    for (;;) {
        const char *result = clua_match_at(m, s, end + 1);
        if (result) return result;
        if (!item_matches(m, s, p, end)) return NULL;
        s++;
        clua_poll(m->L, 1);
    }
}

static const char *open_capture(struct clua_match *m, const char *s, const char *p, ptrdiff_t kind) {
    if (m->level >= CLUA_CAPTURES) luaL_error(m->L, "too many captures");
    m->captures[m->level].start = s;
    m->captures[m->level].length = kind;
    m->level++;
    const char *result = clua_match_at(m, s, p);
    if (!result) m->level--;
    return result;
}

static const char *close_capture(struct clua_match *m, const char *s, const char *p) {
    int level = m->level - 1;
    while (level >= 0 && m->captures[level].length != -1) level--;
    if (level < 0) luaL_error(m->L, "invalid pattern capture");
    m->captures[level].length = s - m->captures[level].start;
    const char *result = clua_match_at(m, s, p);
    if (!result) m->captures[level].length = -1;
    return result;
}

static const char *back_reference(struct clua_match *m, const char *s, int digit) {
    int index = digit - '1';
    if (index < 0 || index >= m->level || m->captures[index].length == -1) {
        luaL_error(m->L, "invalid capture index %%%d", index + 1);
    }
    ptrdiff_t length = m->captures[index].length;
    if (length < 0 || m->source_end - s < length) return NULL;
    clua_poll(m->L, 1 + (uint64_t)length / 64);
    if (memcmp(m->captures[index].start, s, (size_t)length) != 0) return NULL;
    return s + length;
}

static int at_frontier(struct clua_match *m, const char *s, const char *set, const char *end) {
    clua_poll(m->L, (uint64_t)(end - set) / 4);
    int before = s == m->source ? 0 : (unsigned char)s[-1];
    int here = s == m->source_end ? 0 : (unsigned char)*s;
    return !in_set(before, set, end - 1) && in_set(here, set, end - 1);
}

static const char *match_steps(struct clua_match *m, const char *s, const char *p) {
    while (p < m->pattern_end) {
        clua_poll(m->L, 1);
        switch (*p) {
            case '(':
                if (p + 1 < m->pattern_end && p[1] == ')') return open_capture(m, s, p + 2, CLUA_POSITION);
                return open_capture(m, s, p + 1, -1);
            case ')': return close_capture(m, s, p + 1);
            case '$':
                if (p + 1 == m->pattern_end) return s == m->source_end ? s : NULL;
                break;
            case '%':
                if (p + 1 >= m->pattern_end) break;
                if (p[1] == 'b') {
                    if (!(s = balanced(m, s, p + 2))) return NULL;
                    p += 4;
                    continue;
                }
                if (p[1] == 'f') {
                    p += 2;
                    if (p >= m->pattern_end || *p != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
                    const char *end = item_end(m, p);
                    if (!at_frontier(m, s, p, end)) return NULL;
                    p = end;
                    continue;
                }
                if (is_digit((unsigned char)p[1])) {
                    if (!(s = back_reference(m, s, p[1]))) return NULL;
                    p += 2;
                    continue;
                }
                break;
            default: break;
        }
        const char *end = item_end(m, p);
        char repetition = end < m->pattern_end ? *end : 0;
        if (repetition == '*') return most(m, s, p, end);
        if (repetition == '-') return fewest(m, s, p, end);
        int matches = item_matches(m, s, p, end);
        if (repetition == '+') return matches ? most(m, s + 1, p, end) : NULL;
        if (repetition == '?') {
            const char *result = matches ? clua_match_at(m, s + 1, end + 1) : NULL;
            if (result) return result;
            p = end + 1;
            continue;
        }
        if (!matches) return NULL;
        s++;
        p = end;
    }
    return s;
}

// The end of the match of `pattern` at `subject`, or NULL.
const char *clua_match_at(struct clua_match *m, const char *subject, const char *pattern) {
    if (m->depth >= MAX_DEPTH) luaL_error(m->L, "pattern too complex");
    m->depth++;
    const char *result = match_steps(m, subject, pattern);
    m->depth--;
    return result;
}

void clua_push_capture(struct clua_match *m, int index, const char *start, const char *end) {
    if (index >= m->level) {
        if (index != 0) luaL_error(m->L, "invalid capture index %%%d", index + 1);
        lua_pushlstring(m->L, start, (size_t)(end - start));
        return;
    }
    ptrdiff_t length = m->captures[index].length;
    if (length == -1) luaL_error(m->L, "unfinished capture");
    if (length == CLUA_POSITION) lua_pushinteger(m->L, m->captures[index].start - m->source + 1);
    else lua_pushlstring(m->L, m->captures[index].start, (size_t)length);
}

// All captures, or the whole match if there are none and `start` is given.
int clua_push_captures(struct clua_match *m, const char *start, const char *end) {
    int count = m->level == 0 && start ? 1 : m->level;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++) clua_push_capture(m, i, start, end);
    return count;
}
