// Answers at once, over gRPC's callback interface: `server ADDRESS`.
#include "answer.grpc.pb.h"

#include <grpcpp/grpcpp.h>

class Service final : public bench::Answering::CallbackService {
    grpc::ServerUnaryReactor *Ask(
        grpc::CallbackServerContext *context, const bench::Question *question, bench::Answer *answer
    ) override {
        answer->set_text(question->text());
        auto *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }

    // As many messages as a query of one token has: accepted, started, a token, finished.
    class Writer final : public grpc::ServerWriteReactor<bench::Answer> {
    public:
        explicit Writer(const bench::Question *question) {
            answer.set_text(question->text());
            StartWrite(&answer);
        }
        void OnWriteDone(bool isFine) override {
            if (isFine && ++written < 4) StartWrite(&answer);
            else Finish(grpc::Status::OK);
        }
        void OnDone() override { delete this; }

    private:
        bench::Answer answer;
        int written = 0;
    };

    grpc::ServerWriteReactor<bench::Answer> *Stream(
        grpc::CallbackServerContext *, const bench::Question *question
    ) override {
        return new Writer(question);
    }
};

int main(int, char **arguments) {
    Service service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(arguments[1], grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    builder.BuildAndStart()->Wait();
}
