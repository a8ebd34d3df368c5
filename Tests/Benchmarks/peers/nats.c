// A closed loop of publishes to a JetStream stream, each acknowledged: `nats PORT CONNECTIONS SECONDS BYTES`.
#define _GNU_SOURCE
#include "clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    int socket;
    int64_t sent;
    size_t held;
    char bytes[1 << 16];
};

static char message[1 << 16];
static int message_size;

static void say(int socket, const char *bytes, size_t size) {
    while (size) {
        ssize_t sent = write(socket, bytes, size);
        if (sent <= 0) perror("write"), exit(1);
        bytes += sent, size -= (size_t)sent;
    }
}

static void publish(struct connection *on) {
    on->sent = now_ns();
    say(on->socket, message, (size_t)message_size);
}

static void open_connection(struct connection *connection, int port, int number) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->socket = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(connection->socket, (struct sockaddr *)&address, sizeof address)) perror("connect"), exit(2);
    char text[256];
    int size = snprintf(text, sizeof text, "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB ack.%d 1\r\n", number);
    say(connection->socket, text, (size_t)size);
}

static void receive(struct connection *from) {
    ssize_t got = read(from->socket, from->bytes + from->held, sizeof from->bytes - from->held);
    if (got <= 0) fprintf(stderr, "the server hung up\n"), exit(1);
    from->held += (size_t)got;
}

// Takes whole messages out of what was received; returns how many of them have `word` in them.
static int take(struct connection *from, const char *word) {
    int count = 0;
    for (;;) {
        char *end = memmem(from->bytes, from->held, "\r\n", 2);
        if (!end) return count;
        size_t line = (size_t)(end - from->bytes) + 2, whole = line;
        if (!strncmp(from->bytes, "MSG ", 4)) {
            char *space = end;
            while (space[-1] != ' ') space--;
            whole += (size_t)atoi(space) + 2;
            if (from->held < whole) return count;
            if (memmem(from->bytes, whole, "\"error\"", 7)) fprintf(stderr, "%.*s", (int)whole, from->bytes), exit(1);
            if (memmem(from->bytes, whole, word, strlen(word))) count++;
        } else if (!strncmp(from->bytes, "PING", 4)) {
            say(from->socket, "PONG\r\n", 6);
        } else if (!strncmp(from->bytes, "HMSG", 4)) {
            fprintf(stderr, "nobody answers: is JetStream on?\n"), exit(1);
        } else if (!strncmp(from->bytes, "-ERR", 4)) {
            fprintf(stderr, "%.*s", (int)line, from->bytes), exit(1);
        }
        from->held -= whole;
        memmove(from->bytes, from->bytes + whole, from->held);
    }
}

// Returns when the server has made it: what is published before is stored nowhere.
static void create_stream(struct connection *with) {
    static const char stream[] = "{\"name\":\"q\",\"subjects\":[\"q\"],\"storage\":\"file\",\"retention\":\"limits\","
                                 "\"max_msgs\":1000000,\"num_replicas\":1}";
    char text[512];
    int size = snprintf(text, sizeof text, "PUB $JS.API.STREAM.CREATE.q ack.0 %d\r\n%s\r\n", (int)strlen(stream), stream);
    say(with->socket, text, (size_t)size);
    do receive(with);
    while (!take(with, "stream_create_response"));
}

int main(int count, char **arguments) {
    if (count != 5) return fprintf(stderr, "usage: nats PORT CONNECTIONS SECONDS BYTES\n"), 2;
    int port = atoi(arguments[1]), connections = atoi(arguments[2]), bytes = atoi(arguments[4]);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    struct pollfd *items = calloc((size_t)connections, sizeof *items);
    for (int i = 0; i < connections; i++) {
        open_connection(&all[i], port, i);
        items[i] = (struct pollfd){.fd = all[i].socket, .events = POLLIN};
    }
    create_stream(&all[0]);
    size_t capacity = 1 << 16, ended = 0;
    int64_t *latencies = malloc(capacity * sizeof *latencies);
    char payload[4096];
    memset(payload, 'a', sizeof payload);
    for (int i = 0; i < connections; i++) {
        message_size = snprintf(message, sizeof message, "PUB q ack.%d %d\r\n%.*s\r\n", i, bytes, bytes, payload);
        publish(&all[i]);
    }
    double seconds = atof(arguments[3]);
    int64_t begin = now_ns(), end = begin + (int64_t)(seconds * 1e9);
    while (now_ns() < end) {
        poll(items, (nfds_t)connections, 100);
        for (int i = 0; i < connections; i++) {
            if (!(items[i].revents & POLLIN)) continue;
            receive(&all[i]);
            for (int n = take(&all[i], "\"seq\""); n > 0; n--) {
                if (ended == capacity) latencies = realloc(latencies, (capacity *= 2) * sizeof *latencies);
                latencies[ended++] = now_ns() - all[i].sent;
                message_size = snprintf(message, sizeof message, "PUB q ack.%d %d\r\n%.*s\r\n", i, bytes, bytes, payload);
                publish(&all[i]);
            }
        }
    }
    print_result(ended, (now_ns() - begin) / 1e9, latencies, 0);
}
