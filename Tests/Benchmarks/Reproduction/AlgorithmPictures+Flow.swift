extension AlgorithmPictures {
    /// From the central queue to a worker.
    func dispatch() -> String {
        var sketch = Sketch(
            "How a batch finds its worker",
            summary:
                "Queue in order of deadlines; its longest prefix that prefills in a quarter of the TTFT objective is "
                + "the batch; up to sixteen workers that were given queries longest ago are the candidates; the one of "
                + "least hazard gets it, if that is small or the head has no slack left. Otherwise the batch is held, or "
                + "its longest prompt is given up.",
            width: 760,
            height: 372
        )
        let (top, height) = (64.0, 92.0)
        let boxes: [(x: Double, lines: [String])] = [
            (16, ["queue", "waiting queries,", "earliest deadline first"]),
            (208, ["batch", "longest prefix that", "prefills in ≤ ¼ T_ttft"]),
            (400, ["candidates", "≤ 16 workers, longest", "since last given any"]),
            (592, ["choice", "least hazard", "+ 0.1 · pace / T"]),
        ]
        for box in boxes { sketch.box(x: box.x, y: top, width: 152, height: height, box.lines, .blue) }
        for x in [168.0, 360, 552] {
            sketch.line([(x, top + height / 2), (x + 40, top + height / 2)], arrow: true)
        }
        let (bottom, below) = (top + height, 284.0)
        let given = ["give up the longest", "it waits aside, and goes", "where it harms nobody"]
        sketch.box(x: 16, y: below, width: 176, height: 72, ["hold", "look again at the next", "event or after 20 ms"])
        sketch.box(x: 296, y: below, width: 176, height: 72, given, .vermillion)
        sketch.box(x: 592, y: below, width: 152, height: 72, ["send", "the whole batch", "to that worker"], .green)

        sketch.line([(284, bottom), (284, 184), (104, 184), (104, below)], arrow: true)
        sketch.text("not full, and the head has slack", x: 292, y: 178, "small muted")
        sketch.line([(620, bottom), (620, 210), (148, 210), (148, below)], arrow: true)
        sketch.text("full, hazard above 0.02 a query, and the head has slack", x: 240, y: 204, "small muted")
        sketch.line([(668, bottom), (668, 240), (384, 240), (384, below)], arrow: true)
        sketch.text("no slack left, and hazard 0.15 a query or more", x: 352, y: 234, "small muted")
        sketch.line([(716, bottom), (716, below)], arrow: true)
        sketch.text("hazard up to 0.02 a query;", x: 708, y: 258, "small muted", anchor: "end")
        sketch.text("without slack, below 0.15", x: 708, y: 274, "small muted", anchor: "end")
        sketch.line([(48, below), (48, bottom)], arrow: true)
        return sketch.svg()
    }
}
