#include <microhttpd.h>

/* MHD_start_daemon and MHD_get_connection_info are variadic, which Swift does not import. */
static inline struct MHD_Daemon *millrace_mhd_start(
    unsigned int flags, int listener, unsigned int connections, unsigned int idle_seconds,
    unsigned int threads, size_t connection_bytes, const char *certificate, const char *key,
    MHD_AccessHandlerCallback serve,
    void *(*begin)(void *context, const char *target, struct MHD_Connection *connection),
    MHD_RequestCompletedCallback complete, void *context) {
    struct MHD_OptionItem options[4];
    int count = 0;
    /* A pool of one thread is no pool: the daemon's own thread serves. */
    if (threads > 1)
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL};
    if (certificate != NULL) {
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        flags, 0, NULL, NULL, serve, context, MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_bytes, MHD_OPTION_URI_LOG_CALLBACK, begin, context,
        MHD_OPTION_NOTIFY_COMPLETED, complete, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static inline const struct sockaddr *millrace_mhd_client_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info == NULL ? NULL : info->client_addr;
}
