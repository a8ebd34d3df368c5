// As much of JSON as model files need.
#pragma once

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "Device.h"

class Json {
  public:
    enum Kind { null, boolean, number, string, array, object };

    // Reads a text; `name` is what an error calls it.
    static Json parse(const char *text, size_t size, const std::string &name) {
        Reader reader{text, text + size, name};
        Json value = reader.value(0);
        reader.skipSpace();
        if (reader.at != reader.end) reader.fail("has something after its end");
        return value;
    }

    Kind kind = null;
    double value = 0; // of a number; 1 of true
    std::string text;
    std::vector<Json> items;
    std::map<std::string, Json> members;

    // A member; null if there is none.
    const Json &operator[](const std::string &key) const {
        static const Json none;
        auto found = members.find(key);
        return found == members.end() ? none : found->second;
    }
    explicit operator bool() const { return kind != null; }
    double numberOr(double fallback) const { return kind == number ? value : fallback; }
    bool isTrue() const { return kind == boolean && value != 0; }

  private:
    struct Reader {
        const char *at, *end;
        const std::string &name;

        [[noreturn]] void fail(const char *what) const { throw Failure(name + ": " + what); }
        void skipSpace() {
            while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
        }
        char next() {
            if (at == end) fail("ends in the middle of its JSON");
            return *at++;
        }
        void expect(const char *word) {
            for (; *word; word++)
                if (next() != *word) fail("is not JSON");
        }

        Json value(int depth) {
            if (depth > 64) fail("is nested too deep");
            skipSpace();
            Json result;
            switch (next()) {
            case '{': members(result, depth); break;
            case '[': items(result, depth); break;
            case '"': result.kind = string, result.text = characters(); break;
            case 't': expect("rue"), result.kind = boolean, result.value = 1; break;
            case 'f': expect("alse"), result.kind = boolean; break;
            case 'n': expect("ull"); break;
            default: at--, result.kind = number, result.value = decimal();
            }
            return result;
        }
        void members(Json &result, int depth) {
            result.kind = object;
            skipSpace();
            if (at < end && *at == '}') return void(at++);
            for (char mark = ','; mark == ','; mark = next()) {
                skipSpace();
                if (next() != '"') fail("has a member without a name");
                std::string key = characters();
                skipSpace();
                if (next() != ':') fail("has a member without a value");
                result.members[key] = value(depth + 1);
                skipSpace();
            }
            if (at[-1] != '}') fail("has an object that is not closed");
        }
        void items(Json &result, int depth) {
            result.kind = array;
            skipSpace();
            if (at < end && *at == ']') return void(at++);
            for (char mark = ','; mark == ','; mark = next()) {
                result.items.push_back(value(depth + 1));
                skipSpace();
            }
            if (at[-1] != ']') fail("has an array that is not closed");
        }
        // Escapes other than of one character are left as they are: names of tensors have none.
        std::string characters() {
            std::string text;
            for (char c = next(); c != '"'; c = next()) {
                if (c != '\\') text += c;
                else if (char escaped = next(); escaped == 'n') text += '\n';
                else if (escaped == 'u') text += "\\u";
                else text += escaped;
            }
            return text;
        }
        double decimal() {
            std::string digits;
            while (at < end && strchr("+-.0123456789eE", *at)) digits += *at++;
            char *rest = nullptr;
            double value = strtod(digits.c_str(), &rest);
            if (digits.empty() || *rest) fail("has a number that is none");
            return value;
        }
    };
};
