/// Labels in a column beside a plot, each as close to the end of its line as the others let it.
enum LabelStack {
    /// Where to put labels that would like to be at `wishes` but must be `distance` apart, between `top` and `bottom`.
    ///
    /// Labels that would overlap form clusters around the mean of their wishes. The order of the wishes is kept; equal
    /// ones keep the order of the list. Labels may leave the bounds where there are too many for them.
    static func places(for wishes: [Double], distance: Double, top: Double, bottom: Double) -> [Double] {
        struct Cluster {
            var members: [Int]
            var start: Double
            var wishes: Double
        }
        let order = wishes.indices.sorted { (wishes[$0], $0) < (wishes[$1], $1) }
        func placed(_ cluster: Cluster) -> Cluster {
            let count = Double(cluster.members.count)
            var result = cluster
            result.start = cluster.wishes / count - (count - 1) / 2 * distance
            result.start = min(result.start, bottom - (count - 1) * distance)
            result.start = max(result.start, top)
            return result
        }
        var clusters: [Cluster] = []
        for index in order {
            var cluster = placed(Cluster(members: [index], start: 0, wishes: wishes[index]))
            while let last = clusters.last,
                last.start + Double(last.members.count) * distance > cluster.start
            {
                clusters.removeLast()
                cluster.members = last.members + cluster.members
                cluster.wishes += last.wishes
                cluster = placed(cluster)
            }
            clusters.append(cluster)
        }
        var result = wishes
        for cluster in clusters {
            for (place, index) in cluster.members.enumerated() {
                result[index] = cluster.start + Double(place) * distance
            }
        }
        return result
    }
}
