// Clients that wait: each has a connection of its own and one query under way: `clients HOST:PORT CLIENTS SECONDS BYTES DURABILITY`.
//
// They speak ZMTP 3.0 over plain sockets, as the clients of redis.c speak Redis' protocol: with as many connections as
// queries libzmq's threads in the client would cost more than the service, and the service is what is measured.
#include "clock.h"
#include "frames.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 17, MORE = 1, LONG = 2, COMMAND = 4, WARM_UP_DIVISOR = 5 };

struct client {
    int socket;
    size_t held;
    uint64_t session, stream;
    int64_t sent;
    uint8_t header[HEADER]; // the first frame of a message
    int has_header, is_accepted;
    uint8_t bytes[ROOM];
};

struct latencies {
    int64_t *all;
    size_t count, capacity;
};

// From the question to its end, and to the word that it is accepted.
static struct latencies answers, acceptances;
static int64_t warm;
static size_t failed;
static uint8_t request[4096];
static size_t request_size;

static void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static void say(int socket, const uint8_t *bytes, size_t size) {
    while (size) {
        ssize_t sent = write(socket, bytes, size);
        if (sent <= 0) fail("the service hung up");
        bytes += sent, size -= (size_t)sent;
    }
}

static size_t put_frame(uint8_t *into, int flags, const void *data, size_t size) {
    size_t at = 0;
    into[at++] = (uint8_t)(flags | (size > 255 ? LONG : 0));
    for (int shift = size > 255 ? 56 : 0; shift >= 0; shift -= 8) into[at++] = (uint8_t)(size >> shift);
    memcpy(into + at, data, size);
    return at + size;
}

// Header and body of a frame, as a message of two.
static void send_frame(struct client *to, int kind, uint64_t stream, const void *data, size_t size) {
    uint8_t out[8192], header[HEADER];
    make_header(header, kind, to->session, stream, size);
    size_t at = put_frame(out, MORE, header, HEADER);
    at += put_frame(out + at, 0, data, size);
    say(to->socket, out, at);
}

// Nothing counts that ended before `warm`.
static void note(struct latencies *in, const struct client *client) {
    int64_t now = now_ns();
    if (now < warm) return;
    if (in->count == in->capacity) {
        in->capacity = in->capacity ? 2 * in->capacity : 1 << 16;
        in->all = realloc(in->all, in->capacity * sizeof *in->all);
    }
    in->all[in->count++] = now - client->sent;
}

static void ask(struct client *client) {
    client->is_accepted = 0;
    client->sent = now_ns();
    send_frame(client, CALL, ++client->stream, request, request_size);
}

static void end_query(struct client *from, const uint8_t *status, size_t size) {
    if (size == 0) {
        note(&answers, from);
    } else if (failed++ == 0) { // a status that is not OK
        fprintf(stderr, "%.*s\n", (int)size, status);
    }
    ask(from);
}

static void take_message(struct client *from, const uint8_t *header, const uint8_t *body, size_t size) {
    switch (header[5]) {
    case WELCOME: from->session = get(header + 8, 8); break;
    case PING: send_frame(from, PONG, 0, "", 0); break;
    case ITEM: // the first is `Accepted`
        if (!from->is_accepted) note(&acceptances, from);
        from->is_accepted = 1;
        break;
    case END: end_query(from, body, size); break;
    case ERROR:
    case GOODBYE: fail("a session has ended");
    case BUNDLE:
        while (size >= HEADER) {
            size_t length = get(body + 24, 4);
            if (length > size - HEADER) break;
            take_message(from, body, body + HEADER, length);
            body += HEADER + length, size -= HEADER + length;
        }
    }
}

static void take_command(struct client *from, const uint8_t *body, size_t size) {
    if (size < 7 || memcmp(body, "\4PING", 5)) return;
    uint8_t pong[64], out[80];
    size_t context = size - 7 < 16 ? size - 7 : 16;
    memcpy(pong, "\4PONG", 5);
    memcpy(pong + 5, body + 7, context);
    say(from->socket, out, put_frame(out, COMMAND, pong, 5 + context));
}

// All frames that are there whole.
static void take_frames(struct client *from) {
    size_t at = 0;
    while (from->held - at >= 2) {
        const uint8_t *frame = from->bytes + at;
        int flags = frame[0];
        size_t prefix = flags & LONG ? 9 : 2, size = 0;
        if (from->held - at < prefix) break;
        for (size_t i = 1; i < prefix; i++) size = size << 8 | frame[i];
        if (prefix + size > ROOM) fail("a frame is too long");
        if (from->held - at < prefix + size) break;
        at += prefix + size;
        if (flags & COMMAND) {
            take_command(from, frame + prefix, size);
        } else if (flags & MORE) {
            from->has_header = size == HEADER;
            if (from->has_header) memcpy(from->header, frame + prefix, HEADER);
        } else if (from->has_header) {
            from->has_header = 0;
            take_message(from, from->header, frame + prefix, size);
        }
    }
    from->held -= at;
    memmove(from->bytes, from->bytes + at, from->held);
}

static void receive(struct client *from) {
    ssize_t got = read(from->socket, from->bytes + from->held, ROOM - from->held);
    if (got <= 0) fail("the service hung up");
    from->held += (size_t)got;
}

// Connects, shakes hands without a key, and opens a session.
static void open_client(struct client *client, const char *endpoint) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(endpoint, ':');
    address.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : ""));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    client->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(client->socket, (struct sockaddr *)&address, sizeof address)) perror(endpoint), exit(2);
    uint8_t greeting[64] = {0xff, [9] = 0x7f, 3, 0, 'N', 'U', 'L', 'L'}, out[64];
    static const char ready[] = "\5READY\13Socket-Type\0\0\0\6DEALER";
    say(client->socket, greeting, sizeof greeting);
    say(client->socket, out, put_frame(out, COMMAND, ready, sizeof ready - 1));
    while (client->held < sizeof greeting) receive(client);
    client->held -= sizeof greeting;
    memmove(client->bytes, client->bytes + sizeof greeting, client->held);
    send_frame(client, HELLO, 0, hello, HELLO_SIZE);
    for (take_frames(client); !client->session; take_frames(client)) receive(client);
}

int main(int count, char **arguments) {
    if (count != 6) return fprintf(stderr, "usage: clients tcp://127.0.0.1:PORT CLIENTS SECONDS BYTES DURABILITY\n"), 2;
    int clients = atoi(arguments[2]);
    double seconds = atof(arguments[3]);
    size_t bytes = (size_t)atoi(arguments[4]);
    if (bytes > 2048) return fprintf(stderr, "BYTES is at most 2048\n"), 2;
    request_size = make_request(request, bytes, arguments[5]);
    struct client *all = calloc((size_t)clients, sizeof *all);
    struct pollfd *items = calloc((size_t)clients, sizeof *items);
    for (int i = 0; i < clients; i++) {
        open_client(&all[i], arguments[1]);
        items[i] = (struct pollfd){.fd = all[i].socket, .events = POLLIN};
    }
    int64_t begin = now_ns();
    warm = begin + (int64_t)(seconds * 1e9 / WARM_UP_DIVISOR);
    int64_t end = warm + (int64_t)(seconds * 1e9), now = begin;
    for (int i = 0; i < clients; i++) ask(&all[i]);
    while (now < end) {
        poll(items, (nfds_t)clients, 100);
        for (int i = 0; i < clients; i++) {
            if (!(items[i].revents & POLLIN)) continue;
            receive(&all[i]);
            take_frames(&all[i]);
        }
        now = now_ns();
    }
    sort_ns(acceptances.all, acceptances.count);
    printf("{\"accepted_p99_us\": %.1f, ", quantile_us(acceptances.all, acceptances.count, 0.99));
    print_fields(answers.count, (now - warm) / 1e9, answers.all, failed);
    printf("}\n");
    fflush(stdout);
    for (int i = 0; i < clients; i++) send_frame(&all[i], GOODBYE, 0, "", 0);
    return failed > 0;
}
