// Asks Aladdin a question over ZeroMQ and prints the answer as it is generated.
//
//     MESSAGES=Sources/CAladdinMessages
//     cc -O2 -I$MESSAGES/include -o build/client docs/examples/client.c $MESSAGES/aladdin/v1/*.c -lzmq -lprotobuf-c
//     build/client "Tell me a story about a lamp." [ENDPOINT [MODEL [KEY-FILE]]]
#include "frames.h"

#include <aladdin/v1/frontend.pb-c.h>

static void ask(void *socket, uint64_t session, char *text, char *model) {
    Aladdin__V1__ChatMessage message = ALADDIN__V1__CHAT_MESSAGE__INIT, *messages[] = {&message};
    message.role = "user";
    message.content = text;
    Aladdin__V1__Chat chat = ALADDIN__V1__CHAT__INIT;
    chat.n_messages = 1;
    chat.messages = messages;
    Aladdin__V1__Metadata objective = ALADDIN__V1__METADATA__INIT, *metadata[] = {&objective};
    objective.key = "x-slo-ttft-ms";
    objective.value = "5000";
    Aladdin__V1__GenerateRequest request = ALADDIN__V1__GENERATE_REQUEST__INIT;
    request.model = model;
    request.input_case = ALADDIN__V1__GENERATE_REQUEST__INPUT_CHAT;
    request.chat = &chat;
    request.max_tokens = 128;
    request.n_metadata = 1;
    request.metadata = metadata;
    int method = ALADDIN__V1__METHOD__METHOD_FRONTEND_GENERATE;
    send_frame(socket, ALADDIN__V1__FRAME_KIND__FRAME_CALL, method, session, 1, &request);
}

static void print_event(struct frame *frame) {
    Aladdin__V1__GenerateEvent *event = aladdin__v1__generate_event__unpack(NULL, BODY(*frame));
    if (!event) return;
    if (event->event_case == ALADDIN__V1__GENERATE_EVENT__EVENT_TOKENS) fputs(event->tokens->text, stdout);
    if (event->event_case == ALADDIN__V1__GENERATE_EVENT__EVENT_RESET)
        fprintf(stderr, "\n[once more from token %u]\n", event->reset->first_index);
    fflush(stdout);
    aladdin__v1__generate_event__free_unpacked(event, NULL);
}

int main(int count, char **arguments) {
    if (count < 2) return fprintf(stderr, "usage: client TEXT [ENDPOINT [MODEL [KEY-FILE]]]\n"), 2;
    const char *endpoint = count > 2 ? arguments[2] : "tcp://127.0.0.1:5550";
    void *context = zmq_ctx_new(), *socket = greet(context, endpoint, count > 4 ? arguments[4] : NULL, "client.c/1", "c");

    struct frame frame = {0};
    zmq_msg_init(&frame.body);
    uint64_t session = 0;
    int code = -1;
    // The broker pings every second, so five of silence mean that it is gone.
    while (code < 0 && receive_frame(socket, &frame, 5000)) {
        switch (frame.kind) {
        case ALADDIN__V1__FRAME_KIND__FRAME_WELCOME:
            session = frame.session;
            ask(socket, session, arguments[1], count > 3 ? arguments[3] : "");
            break;
        case ALADDIN__V1__FRAME_KIND__FRAME_PING: // answering keeps the session alive
            send_frame(socket, ALADDIN__V1__FRAME_KIND__FRAME_PONG, 0, session, 0, NULL);
            break;
        case ALADDIN__V1__FRAME_KIND__FRAME_ITEM:
            print_event(&frame);
            break;
        case ALADDIN__V1__FRAME_KIND__FRAME_END:
        case ALADDIN__V1__FRAME_KIND__FRAME_ERROR:
        case ALADDIN__V1__FRAME_KIND__FRAME_GOODBYE:
            putchar('\n');
            code = print_status(&frame);
            break;
        }
    }
    if (code < 0) fprintf(stderr, "the broker does not answer\n");
    send_frame(socket, ALADDIN__V1__FRAME_KIND__FRAME_GOODBYE, 0, session, 0, NULL);
    zmq_msg_close(&frame.body);
    zmq_close(socket);
    zmq_ctx_term(context);
    return code != 0;
}
