// What `make bench` measures inside one process; each prints one line of JSON. Run by Tests/Benchmarks/bench.

let usage = "usage: BenchProbes placement|simulator|tokens --name value …"
let arguments = try ProbeArguments(CommandLine.arguments.dropFirst())

switch arguments.probe {
case "placement": try PlacementProbe(arguments).run()
case "simulator": try SimulatorProbe(arguments).run()
case "tokens": try TokensProbe(arguments).run()
default: throw ProbeError(message: usage)
}
