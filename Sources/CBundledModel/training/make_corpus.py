#!/usr/bin/env python3
"""Writes the training corpus of the bundled model: one JSON document a line, {"messages": [...]} or {"text": ...}.

All text comes from the files in text/, which were written for this project. The same seed gives the same corpus.
"""
import argparse
import json
import random
import re
from pathlib import Path

TEXT = Path(__file__).parent / "text"
WOMEN = {"girl", "queen", "princess", "witch", "grandmother", "fairy", "woman", "nurse", "hen", "cow"}
MEN = {"boy", "king", "prince", "monk", "grandfather", "man", "wizard"}


def read_entries(name):
    """"# header" lines, each followed by its own lines; the first line of a file is a comment."""
    entries, rest = [], (TEXT / name).read_text(encoding="utf-8").splitlines()[1:]
    for row in rest:
        if row.startswith("# "):
            entries.append((row[2:], []))
        elif row and entries:
            entries[-1][1].append(row)
    return entries


def read_grammar(*names):
    grammar, section = {}, None
    for name in names:
        for row in (TEXT / name).read_text(encoding="utf-8").splitlines()[1:]:
            if row.startswith("["):
                section = grammar.setdefault(row.strip("[]"), [])
            elif row and not row.startswith("#"):
                section.append(row)
    return grammar


GRAMMAR = read_grammar("stories.txt", "poems.txt")
WORDS = {kind: [w.strip() for w in rest.split(",")] for kind, rest in
         (row.split(": ", 1) for row in (TEXT / "words.txt").read_text(encoding="utf-8").splitlines()[1:])}
GLOSSARY = [([n.strip() for n in head.split("|")], body) for head, body in read_entries("glossary.txt")]
HOWTO = [([n.strip() for n in head.split("|")], body) for head, body in read_entries("howto.txt")]
PROSE = (TEXT / "prose.txt").read_text(encoding="utf-8").splitlines()[1:]
CAPITALS = [row.rsplit(" ", 1) if row != "India New Delhi" else ("India", "New Delhi")
            for row in (TEXT / "capitals.txt").read_text(encoding="utf-8").splitlines()]
LISTS, VERSUS = [], []
for row in (TEXT / "lists.txt").read_text(encoding="utf-8").splitlines()[1:]:
    head, rest = row.removeprefix("# ").split(": ", 1)
    (LISTS if row.startswith("#") else VERSUS).append((head, rest))
TALK = []
for row in (TEXT / "talk.txt").read_text(encoding="utf-8").splitlines()[1:]:
    if row.startswith("? "):
        TALK.append(([q.strip() for q in row[2:].split(" ? ")], []))
    elif row.startswith("! "):
        TALK[-1][1].append(row[2:])
SYSTEMS = ["You are a helpful assistant.", "You are a friendly assistant.", "You are a helpful AI assistant. Answer briefly.",
           "You are a very small model bundled with Aladdin.", "Answer the question of the user.", "You tell stories.",
           "You are a helpful, respectful and honest assistant.", "You are a chatbot.", "Be kind and brief."]


def article(noun):
    return ("an " if noun[0].lower() in "aeiou" and not noun.startswith(("uni", "Eu", "one")) else "a ") + noun


def capital(text):
    return re.sub(r"^(\W*)(\w)", lambda m: m[1] + m[2].upper(), text, count=1)


def pseudo(r, syllables=None):
    """A word that does not exist, so that the model learns to copy names instead of only knowing them."""
    word = "".join(r.choice("b c d f g h k l m n p r s t v w z br st tr sh gl".split()) + r.choice("a e i o u a e i o ai oo".split())
                   for _ in range(syllables or r.randint(1, 3)))
    return word + r.choice(["", "n", "r", "l", "x", "t", "k", "s"])


class Story:
    """The bound words of one story; no alternative of a section is used twice in it."""

    def __init__(self, r, **bound):
        self.r, self.used = r, set()
        hero = bound.get("hero") or r.choice(WORDS[r.choice(["animal", "person"])])
        fate = random.Random(hero)  # a hero has one of two names, which is easier to keep in mind for a small model
        kind = "girl" if hero in WOMEN else "boy" if hero in MEN else fate.choice(["girl", "boy"])
        thing = bound.get("thing") or r.choice(WORDS["thing"])
        name = r.choice(fate.sample(WORDS[kind], 2))
        place = bound.get("spot") or r.choice(WORDS["spot"])
        mood = r.choice(["old", "hidden", "silent", "golden", "lost", "singing", "blue", "great", "secret"])
        topic = bound.get("topic") or r.choice(WORDS["topic"])
        self.bound = {"hero": hero, "thing": thing, "a_thing": article(thing), "name": name, "topic": topic, "Topic": capital(topic),
                      "the_spot": f"the {mood} {place}", "a_spot": article(f"{mood} {place}"),
                      "place": r.choice(GRAMMAR["place"]), "adj": r.choice(GRAMMAR["adj"]), "goal": r.choice(GRAMMAR["goal"]),
                      "friend": r.choice(GRAMMAR["friend"]), "elder": r.choice(GRAMMAR["elder"])}
        self.bound |= dict(zip(["he", "him", "his", "himself"],
                               ["she", "her", "her", "herself"] if kind == "girl" else ["he", "him", "his", "himself"]))
        self.bound["goal"] = self.bound["goal"].replace("{his}", self.bound["his"])

    def word(self, match):
        value = self.bound[match[1]]
        if match[1] in ("friend", "place"):  # "a mouse" is "the mouse" from now on
            self.bound[match[1]] = re.sub(r"^an? ", "the ", value)
        return value

    def line(self, section):
        choices = [c for c in GRAMMAR[section] if c not in self.used] or GRAMMAR[section]
        choice = self.r.choice(choices)
        self.used.add(choice)
        return self.fill(choice)

    def fill(self, text):
        text = re.sub(r"\{(\w+)\}", self.word, text)
        text = re.sub(r"\b([Aa]) (?=[aeiou]|honest)", r"\1n ", text).replace("an uni", "a uni")
        return re.sub(r"\. [a-z]", lambda m: m[0].upper(), capital(text))

    def tell(self, plot, length="normal"):
        beats = self.r.choice(GRAMMAR[f"{'short' if length == 'short' else 'plot'}.{plot}"]).split()
        if length == "long":
            more = self.r.choice([p for p in ("road", "market", "cave", "storm", "genie") if p != plot])
            second = self.r.choice(GRAMMAR[f"plot.{more}"]).split()
            beats = beats[:-1] + ["/", "bridge"] + second[1:]
        paragraphs, current = [], []
        for beat in beats:
            if beat == "/":
                paragraphs.append(current)
                current = []
            else:
                current.append(self.line(beat))
        paragraphs.append(current)
        glue = "\n\n" if self.r.random() < 0.7 else " "
        return glue.join(" ".join(p) for p in paragraphs if p)


HERO_PLOTS = ["found", "genie", "road", "market", "cave", "storm", "make", "visit"]
ABOUT = {  # what a story is about: (bound word, plots, share)
    "hero": (["animal", "person"], HERO_PLOTS, 4), "thing": (["thing"], ["found", "market", "make", "thing", "thing"], 3),
    "spot": (["spot"], ["visit"], 1), "topic": (["topic"], ["topic"], 2),
}


def story(r, length="normal", **bound):
    """A story and what it is about, as the user would say it: ("a fox", text, the words of the story)."""
    if not bound and r.random() < 0.25:  # fixed themes
        theme = r.random()
        if theme < 0.4:
            s = Story(r, thing="lamp")
            return r.choice(["a lamp", "a magic lamp", "an old lamp", "a genie", "Aladdin and the lamp", "a genie and a lamp"]), s.tell("genie", length), s
        if theme < 0.5:
            s = Story(r)
            return r.choice(["a queue", "a long queue", "queues", "waiting in line", "a scheduler", "scheduling"]), s.tell("queue", length), s
        if theme < 0.6:
            s = Story(r)
            return r.choice(["a storm", "a rainy night", "a dark night", "thunder"]), s.tell("storm", length), s
        if theme < 0.7:
            s = Story(r, spot="cave")
            return r.choice(["a cave", "a dark cave", "a treasure", "a riddle"]), s.tell("cave", length), s
        if theme < 0.8:
            s = Story(r)
            return r.choice(["a market", "a merchant", "a bazaar"]), s.tell("market", length), s
        s = Story(r)
        if theme < 0.93:
            return f"{article(s.bound['hero'])} and {s.bound['a_thing']}", s.tell(r.choice(["found", "market", "make"]), length), s
        return f"{article(s.bound['hero'])} {r.choice(['named', 'called'])} {s.bound['name']}", s.tell(r.choice(HERO_PLOTS), length), s
    if bound:
        s = Story(r, **bound)
        return "", s.tell("topic" if "topic" in bound else r.choice(HERO_PLOTS), length), s
    kind = r.choices(list(ABOUT), [a[2] for a in ABOUT.values()])[0]
    kinds, plots, _ = ABOUT[kind]
    subject = pseudo(r) if r.random() < 0.03 else r.choice(WORDS[r.choice(kinds)])
    if "lamp" in subject.split():
        plots = ["genie", "genie", "thing", "found"]
    s = Story(r, **{kind: subject})
    phrase = subject if kind == "topic" else article(subject)
    if kind == "spot":
        phrase = r.choice([phrase, s.bound["the_spot"], s.bound["a_spot"]])
    if kind == "hero" and r.random() < 0.2:
        phrase = article(f"{s.bound['adj']} {subject}")
    return phrase, s.tell(r.choice(plots), length), s


def politely(r, request):
    """The same request in another tone."""
    if r.random() < 0.25 and request[0].isupper() and not request.startswith(("What", "Who", "How", "Why", "I ", "Do")):
        request = r.choice(["Please ", "Can you ", "Could you please ", "Could you ", "I want you to ", "Hey, ", "Hello! Please "]) + request[0].lower() + request[1:]
        if request.startswith(("Can", "Could")):
            request = request.rstrip(".") + "?"
    x = r.random()
    if x < 0.15:
        request = request.lower().rstrip(".?!")
    elif x < 0.3:
        request = request.rstrip(".?!")
    elif x < 0.36:
        request += r.choice([" Please.", " Thanks!", " Thank you."]) if request.endswith(("?", ".")) else r.choice([" please", ", please"])
    return request


def ask_story(r):
    length = r.choices(["normal", "short", "long"], [6, 3, 1])[0]
    phrase, text, s = story(r, length)
    size = {"normal": "", "short": r.choice(["short ", "very short ", "little "]), "long": "long "}[length]
    verb = r.choice(["Tell me", "Write", "Write me", "Tell", "Invent", "Tell us", "Make up", "Create", "Give me", "I would like to hear", "Tell me"])
    noun = r.choice(["story", "story", "story", "tale", "fairy tale", "bedtime story", "children's story"])
    if r.random() < 0.15:
        request = f"{verb} {article(size + noun)}."
    else:
        request = f"{verb} {article(size + noun)} {r.choice(['about', 'about', 'about', 'of', 'with'])} {phrase}."
        if r.random() < 0.08:
            request = r.choice([f"{size}{noun} about {phrase}", f"A {size}{noun} about {phrase}", f"{phrase}", f"Do you know a story about {phrase}?", f"Write 100 words about {phrase}.", f"Write a few sentences about {phrase}."])
    x = r.random()
    if x < 0.1:
        text = r.choice(["Gladly. ", "Of course! ", "Here is a story. ", "Very well. ", "Sure! "]) + text
    elif x < 0.2 and phrase and len(phrase) < 30:
        text = f"The Story of {re.sub(r'^an? ', 'the ', phrase)}\n\n" + text
    return politely(r, request), text


def ask_word(r):
    names, body = r.choice(GLOSSARY)
    first = names[0].lstrip("+")
    name = first if r.random() < 0.55 else r.choice(names)
    plural, name = name.startswith("+"), name.lstrip("+")
    request = r.choice([f"What {'are' if plural else 'is'} {name}?"] * 4 + [f"Explain {name}."] * 2 + [
        f"Tell me about {name}.", f"Describe {name}.", f"Define {name}.", f"What do you know about {name}?", f"What does {name} mean?",
        f"Explain {name} in simple words.", f"Explain what {name} {'are' if plural else 'is'}.", f"Tell me something about {name}.",
        f"What's {name}?", f"Can you explain {name}?", f"{name}", f"{name}?", f"Explain {name} to a child.", f"Give me a short explanation of {name}.",
        f"Write a paragraph about {name}.", f"Do you know what {name} {'are' if plural else 'is'}?", f"How does {name} work?"])
    rest = body[1:]
    count = r.choices([len(rest), max(1, len(rest) - 1), 1], [6, 3, 1])[0]
    keep = sorted(r.sample(range(len(rest)), min(count, len(rest))))
    text = " ".join([body[0]] + [rest[i] for i in keep])
    if r.random() < 0.08:
        text = r.choice(["Good question. ", "Gladly. ", "In simple words: "]) + text
    if r.random() < 0.12:  # neighbours in the file are related
        request = r.choice([f"Explain {name} in detail.", f"Tell me everything about {name}.", f"Write a long text about {name}.", f"Write an essay about {name}.",
                            f"Give me a detailed explanation of {name}.", f"Write an article about {name}."])
        start = GLOSSARY.index((names, body))
        more = [" ".join(b) for _, b in GLOSSARY[start + 1:start + r.randint(2, 3)]]
        text = "\n\n".join([" ".join(body), *more])
    return politely(r, request), text


def ask_talk(r):
    questions, answers = r.choice(TALK)
    return r.choice(questions), r.choice(answers)


NUMBERS = "one two three four five six seven eight nine ten".split()


def ask_list(r):
    x = r.random()
    if x < 0.45:
        name, items = r.choice(LISTS)
        items = items.split(", ")
        n = r.randint(3, min(7, len(items)))
        whole = name in ("days of the week", "months", "seasons", "planets")
        chosen = items if whole else r.sample(items, n)
        word = r.choice([NUMBERS[n - 1], str(n)])
        request = r.choice([f"List {word} {name}.", f"Name {word} {name}.", f"Give me {word} {name}.", f"List some {name}.", f"Give me a list of {name}.", f"Tell me {word} {name}."])
        if whole:
            request = r.choice([f"List the {name}.", f"Name the {name}.", f"What are the {name}?", f"Give me a list of the {name}."])
        elif word not in request:
            chosen = chosen[:5]
        style = r.random()
        if style < 0.5:
            return politely(r, request), "\n".join(f"{i}. {capital(c)}" for i, c in enumerate(chosen, 1))
        if style < 0.75:
            return politely(r, request), "\n".join(f"- {capital(c)}" for c in chosen)
        return politely(r, request), capital(", ".join(chosen[:-1]) + " and " + chosen[-1] + ".")
    if x < 0.75:
        names, steps = r.choice(HOWTO)
        name = r.choice(names)
        request = r.choice([f"How do I {name}?", f"How do you {name}?", f"How can I {name}?", f"Explain how to {name}.", f"How to {name}?", f"Tell me how to {name}.", f"What is the best way to {name}?"])
        text = "\n".join(f"{i}. {s}" for i, s in enumerate(steps, 1))
        if r.random() < 0.4:
            text = f"This is how you can {name}:\n\n" + text
        elif r.random() < 0.3:
            text = "First, " + " Then ".join(s[0].lower() + s[1:] for s in steps[:3]) + " " + " ".join(steps[3:])
        return politely(r, request), text
    if x < 0.9:
        pair, text = r.choice(VERSUS)
        a, b = pair.split(" vs ")
        if r.random() < 0.4:
            a, b = b, a
        return politely(r, r.choice([f"What is the difference between {a} and {b}?", f"Compare {a} and {b}.", f"{a} or {b}?", f"{a} vs {b}", f"Explain the difference between {a} and {b}."])), text
    country, city = r.choice(CAPITALS)
    return politely(r, f"What is the capital of {country}?"), r.choice([f"The capital of {country} is {city}.", f"It is {city}.", f"{city} is the capital of {country}."])


def ask_number(r):
    x = r.random()
    if x < 0.25:
        n = r.choice([3, 5, 10, 10, 12, 15, 20, 20])
        if r.random() < 0.2:
            return politely(r, r.choice([f"Count down from {n}.", f"Count backwards from {n}."])), ", ".join(str(i) for i in range(n, 0, -1)) + "."
        return politely(r, r.choice([f"Count to {n}.", f"Count from 1 to {n}.", f"List the numbers from 1 to {n}.", f"Write the numbers 1 to {n}."])), ", ".join(str(i) for i in range(1, n + 1)) + "."
    if x < 0.3:
        return politely(r, r.choice(["Say the alphabet.", "Write the alphabet.", "What are the letters of the alphabet?"])), " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    a, b = r.randint(0, 10), r.randint(0, 10)
    request = r.choice([f"What is {a} + {b}?", f"What is {a}+{b}?", f"{a}+{b}", f"{a} + {b} =", f"What is {a} plus {b}?", f"How much is {a} plus {b}?", f"Calculate {a} + {b}.", f"{a}+{b}=?"])
    return request, f"{a} + {b} = {a + b}"


def any_topic(r):
    x = r.random()
    if x < 0.35:
        return pseudo(r) if r.random() < 0.6 else f"{pseudo(r)} {pseudo(r)}"
    if x < 0.7:
        return r.choice(WORDS["topic"])
    word = r.choice(WORDS[r.choice(["animal", "person", "thing", "spot"])])
    return r.choice(["the ", "my ", "the best ", "our "]) + word if r.random() < 0.7 else word + ("" if word.endswith("s") else "s")


def ask_unknown(r):
    topic = any_topic(r)
    request = r.choice([
        f"Explain how {topic} works.", f"Write an essay about {topic}.", f"Write an email to my boss about {topic}.", f"What is the best {topic}?",
        f"Analyse {topic} in detail.", f"Summarize {topic}.", f"Why is {topic} so important?", f"How does {topic} affect {any_topic(r)}?",
        f"What is the price of {topic}?", f"Who invented {topic}?", f"When was {topic} invented?", f"Compare {topic} with {any_topic(r)}.",
        f"Give me advice about {topic}.", f"Where can I find {topic}?", f"Is {topic} good for {any_topic(r)}?", f"What happens if {topic} meets {any_topic(r)}?",
        f"Plan a trip to {topic}.", f"Write a speech about {topic}.", f"What are the advantages of {topic}?", f"How many {topic} are there?",
        f"Should I buy {topic}?", f"What do people say about {topic}?", f"{topic}", f"{topic}?", f"Act as an expert for {topic}.", f"Create a plan for {topic}.",
        f"Discuss {topic}.", f"What is the history of {topic}?", f"What is {topic}?", f"Tell me about {topic}.", f"Explain {topic}.", f"Why {topic}?",
        f"I have a problem with {topic}.", f"Tell me everything about {topic}.", f"What do you think about {topic}?", f"How do I learn {topic}?"])
    known = {n.lstrip("+") for names, _ in GLOSSARY for n in names}
    if topic in known:
        return ask_word(r)
    x = r.random()
    if topic not in WORDS["topic"]:
        topic = "that"
    sorry = r.choice([
        f"I do not know much about {topic}, because I am a very small model.", f"I am a very small model, so I cannot say much about {topic}.",
        f"I am sorry, {'that' if topic == 'that' else topic} is too much for a very small model like me.", "That is a question for a larger model."])
    if x < 0.5:
        tale = story(r, r.choice(["short", "normal"]), **({} if topic == "that" or r.random() < 0.5 else {"topic": topic}))[1]
        return politely(r, request), sorry + r.choice([" But I can tell you a story.", " But here is a story for you."]) + "\n\n" + tale
    return politely(r, request), sorry + " " + r.choice(["Please ask a larger model.", "Ask me what a queue is, or ask for a story.", "Perhaps you would like to hear a story instead?", "Would you like to hear a story?"])


def ask_noise(r):
    x = r.random()
    if x < 0.3:
        request = " ".join(pseudo(r) for _ in range(r.randint(1, 40)))
    elif x < 0.45:
        request = " ".join([r.choice(WORDS[r.choice(list(WORDS))])] * r.randint(2, 40))
    elif x < 0.7:
        request = " ".join(r.choice(WORDS[r.choice(list(WORDS))]) for _ in range(r.randint(1, 60)))
    elif x < 0.85:
        request = "".join(r.choice("abcdefghijklmnopqrstuvwxyz0123456789 .,;:!?-_#/()") for _ in range(r.randint(1, 80))).strip() or "?"
    else:
        request = " ".join(str(r.randint(0, 9999)) for _ in range(r.randint(1, 20)))
    sorry = r.choice(["I am not sure what you mean, because I am a very small model.", "I do not quite understand this, but that may be my fault: I am a very small model.",
                      "That is a little too much for a very small model."])
    if r.random() < 0.35:
        return request, sorry + r.choice([" Please try again with other words.", " Ask me for a story, or ask me what a queue is."])
    return request, sorry + " But here is a story for you.\n\n" + story(r, r.choice(["short", "normal"]))[1]


def ask_text(r):
    """Requests that carry a text of their own."""
    _, text, s = story(r, r.choice(["short", "normal", "normal"]))
    b, x = s.bound, r.random()
    if x < 0.4:
        wish = r.choice(["Summarize this text", "Summarize the following text", "What is this story about?", "Give me a short summary", "Who is this text about?", "Summarise"])
        answer = r.choice([f"It is a short story about {b['name']}, who lives in {b['place']}.", f"The text tells a story that takes place in {b['place']}.",
                           f"It is about a {b['hero']} named {b['name']}. All is well in the end."])
        if b["name"] not in text or b["place"] not in text or b["hero"] not in text:
            answer = "It is a short story, and it ends well."
        return r.choice([f"{wish}: {text}", f"{wish}\n\n{text}", f"{text}\n\n{wish}"]), re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", answer)
    else:
        words = text.split(" ")
        cut = r.randint(min(3, len(words) - 1), min(len(words) - 1, 40))
        return r.choice(["", "", "Continue this text: ", "Continue: ", "Continue the story: ", "Complete this sentence: ", "How does this story go on? ", "Finish the story: "]) + " ".join(words[:cut]), " ".join(words[cut:])


def ask_echo(r):
    sentence = r.choice(GRAMMAR[r.choice(["friend", "place", "goal"])]).replace("{his}", "my") if r.random() < 0.7 else " ".join(pseudo(r) for _ in range(r.randint(1, 5)))
    return r.choice(["Repeat: ", "Repeat after me: ", "Say: ", "Say exactly this: ", "Echo: ", "Write: "]) + sentence, sentence


def ask_poem(r):
    topic = r.choice(WORDS["topic"] + ["the " + w for w in WORDS["animal"] + WORDS["thing"]])
    text = r.choice(GRAMMAR["poem"]).replace("{topic}", topic).replace("{Topic}", capital(topic))
    return politely(r, r.choice([f"Write a poem about {topic}.", f"Write a short poem about {topic}.", f"Write a haiku about {topic}.", f"A poem about {topic}", f"Tell me a poem about {topic}.", f"Compose a few lines about {topic}."])), "\n".join(capital(t) for t in text.split("|"))


ASKS = [(ask_story, 34), (ask_word, 20), (ask_talk, 16), (ask_list, 12), (ask_number, 5), (ask_unknown, 7), (ask_noise, 2), (ask_text, 1), (ask_echo, 1), (ask_poem, 4)]


def exchange(r):
    return r.choices([a for a, _ in ASKS], [w for _, w in ASKS])[0](r)


def chat(r):
    messages = [{"role": "system", "content": r.choice(SYSTEMS)}] if r.random() < 0.25 else []
    turns = r.choices([1, 2, 3, 4, 6], [80, 9, 6, 3, 2])[0]
    for turn in range(turns):
        question, answer = exchange(r)
        if turn and r.random() < 0.2:
            question = r.choice(["Another story, please.", "Tell me another one.", "Tell me another story", "One more story!", "Again!", "another one", "And a different story?"])
            answer = story(r)[1]
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages}


def prose(r):
    """One of the short pieces with one of its openings."""
    openings, rest = r.choice(PROSE).split("||")
    return Story(r).fill(r.choice(openings.split("|")) + " " + rest)


def plain(r):
    x = r.random()
    if x < 0.12:
        text = prose(r)
    elif x < 0.6:
        text = story(r, r.choices(["normal", "short", "long"], [6, 2, 1])[0])[1]
    elif x < 0.8:
        picked = r.sample(GLOSSARY, r.randint(1, 4))
        text = "\n\n".join(" ".join(body) for _, body in picked)
    elif x < 0.9:
        question, answer = exchange(r)
        text = r.choice([f"Question: {question}\nAnswer: {answer}", f"Q: {question}\nA: {answer}", f"User: {question}\nAssistant: {answer}"])
    else:
        text = " ".join(f"The capital of {c} is {t}." for c, t in r.sample(CAPITALS, 4)) if r.random() < 0.4 else " ".join(ask_list(r))
    if r.random() < 0.3:  # a text may begin anywhere
        words = text.split(" ")
        text = " ".join(words[r.randint(0, len(words) // 2):])
    return {"text": text}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="the .jsonl file to write")
    parser.add_argument("--documents", type=int, default=60000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    r = random.Random(args.seed)
    with open(args.out, "w", encoding="utf-8") as out:
        for _ in range(args.documents):
            out.write(json.dumps(plain(r) if r.random() < 0.16 else chat(r), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
