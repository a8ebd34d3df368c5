internal import Foundation

/// docs/reproduction.md, from the findings that there are, and the pictures of the documentation.
///
/// A section without findings here keeps the chapter that the page has of it: some take hours, or another machine.
struct Document {
    let root: String
    let sections: [any Section]

    func write() throws {
        let docs = URL(fileURLWithPath: root).appendingPathComponent("docs")
        let pictures = docs.appendingPathComponent("pictures")
        try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: true)
        for picture in algorithmPictures() {
            try write(picture.svg, to: pictures.appendingPathComponent("\(picture.name).svg"))
        }
        let page = docs.appendingPathComponent("reproduction.md")
        let former = (try? String(contentsOf: page, encoding: .utf8)).map(Self.chapters) ?? []
        var text = Self.introduction
        var missing: [String] = []
        for section in sections {
            guard let chapter = try section.chapter(root: root) else {
                if let kept = former.first(where: { $0.contains("--section \(section.name)`") }) {
                    text += kept
                } else {
                    missing.append(section.name)
                }
                continue
            }
            text += chapter.markdown
            for picture in chapter.pictures {
                try write(picture.svg, to: pictures.appendingPathComponent(picture.name))
            }
        }
        if !missing.isEmpty { text += Self.missing(missing) }
        let trimmed = String(text.reversed().drop { $0.isNewline }.reversed()) + "\n"
        try write(trimmed, to: page)
    }

    /// A page's chapters, each with its heading; each says at its end which section made it.
    private static func chapters(of page: String) -> [String] {
        var chapters: [String] = []
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { chapters.append("") }
            guard !chapters.isEmpty else { continue }
            chapters[chapters.count - 1] += line + "\n"
        }
        return chapters.map { $0.trimmingCharacters(in: .newlines) + "\n\n" }
    }

    private func write(_ text: String, to file: URL) throws {
        try text.write(to: file, atomically: true, encoding: .utf8)
    }

    private static func missing(_ names: [String]) -> String {
        let list = names.map { "- `make reproduce-full SECTION=\($0)`\n" }.joined()
        return "## Not run yet\n\n\(list)\n"
    }

    private static let introduction = """
        # Numbers that you can make again

        This page is written by a program. `make reproduce` runs a short form of the studies in minutes,
        `make reproduce-full` all of them in hours; both write this page and its pictures from what they find. What was found
        in hours is kept as JSON in [findings](findings), and a chapter stands until it is asked again. Each says at its end
        whether it is of the short form, with one seed, or of the full one with three: S70 needs 28 workers in the one and 27
        in the other. Nothing here was typed in by hand, and nothing needs a GPU: queries are served by simulated workers
        under the production scheduler, in virtual time, and equal seeds give equal numbers on every machine.

        ## What is measured

        A **query** is a prompt and an answer, both counted in tokens. A **worker** is one copy of a model on one or more
        GPUs. It works in steps. In a *prefill* step it reads prompts; the longer they are together the longer it takes. In a
        *decode* step it gives every query that it is answering one more token; that takes a large constant, for reading
        the weights, and a little for each query and each token of its context. So a worker is a server that is the more
        efficient the more customers it serves at once, and on which an arrival halts everybody who is being served.

        Two promises are made to a query. **TTFT**, the time to the first token, counts from its arrival. **ATGT**, the
        average token generation time, is (last token − first token) / (tokens − 1). **Attainment** is the share of queries
        that were kept both promises; one that is refused or never ends was not. A short answer has a small budget for being
        halted, and a mean over all queries does not forgive it: that is what makes placing queries hard.

        Two modes are simulated. In *prefill-priority* (vLLM's classic form, mode A) a prompt halts the decodes of its worker.
        In *chunked* (today's default, mode B) prompts are cut into pieces that run beside the decodes. In *split-phase*
        serving (mode C) prompts and answers have workers of their own.

        Two yardsticks do not depend on any policy. The **mean-field capacity** N_mf is the number of workers that would
        suffice if work could be spread like a fluid; it is no bound, but no policy here gets below it by much. The
        **lower bound** is one: no policy, whatever it knows, reaches the target with fewer workers.

        Baselines are the rules that other systems use, with their usual settings, over the same simulated workers: they see
        the same events at the same time. They were made for other aims than a share of kept promises, simplicity among
        them. The traces and where they come from: [Tests/Data](../Tests/Data/README.md). The policies:
        [operations](operations.md).


        """
}
