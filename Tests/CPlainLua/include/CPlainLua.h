#ifndef CPLAINLUA_H
#define CPLAINLUA_H

#include <stddef.h>

// The system's Lua with its own libraries: what ours are compared with. Runs the text and copies the string it returns, at most `capacity`
// bytes; how long it is, or -1 when there is none.
long plain_lua_run(const char *text, size_t length, char *result, size_t capacity);

#endif
