#include <zlib.h>

/* deflateInit2 is a macro, which Swift does not import. 16 added to the window asks for gzip's header and trailer. */
static inline int millrace_gzip_begin(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
