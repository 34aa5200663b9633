internal import RouterCore

/// How a running routerd's routes change, and what is told of it.
extension Daemon {
  /// Reads the routes anew; the old ones stay in force when anything is wrong with them.
  func reload(because reason: String) async -> RoutesInForce.Change {
    notifier.reloading()
    await web.reload()
    var (change, delay) = await monitor.longestDelay { [routes] in await routes.reload(because: reason) }
    change.longestDelay = delay
    tell(change)
    notifier.ready(engine.isDraining ? "draining" : "serving")
    return change
  }

  /// Puts changed files in force as they come, until cancelled.
  func followFiles() async {
    guard settings.routes.watch, routes.directory != nil else { return }
    let watch = RouteWatch(
      { [routes] in routes.watched ?? WatchedFiles(directory: routes.directory ?? "") },
      isKnown: { [routes] in routes.isTried($0) }, log: log.labelled("routes"))
    for await _ in watch.changes() {
      let (change, delay) = await monitor.longestDelay { [routes] in
        await routes.reloadIfChanged(because: "a change on disk")
      }
      guard var change else { continue }
      change.longestDelay = delay
      tell(change)
    }
  }

  /// Lets go of tables that no call needs any more, until cancelled.
  func freeOldRoutes() async {
    while !Task.isCancelled {
      // Cancelled: the loop's condition ends it.
      try? await Task.sleep(for: .seconds(5))
      if routes.router.hasEarlier { await routes.releaseUnused() }
    }
  }

  private func tell(_ change: RoutesInForce.Change) {
    let result = change.isAccepted ? change.isSame ? "same" : "accepted" : "refused"
    metrics.add("routerd_route_reloads_total", 1, ["result": result])
    metrics.set("routerd_route_reload_seconds", change.seconds)
    if let problem = change.notKept {
      log.warning("these routes cannot be kept for a rollback", ("version", change.version), ("why", problem))
    }
    guard change.isAccepted else {
      log.error(
        "routes not reloaded, the old ones stay in force", ("because", change.reason),
        ("errors", "\(change.errors.all.count + change.errors.dropped)"))
      for error in change.errors.all {
        log.error(error.message, ("at", error.location.map(\.description) ?? ""))
      }
      return
    }
    Task { await engine.prepareTools(routes.snapshot.functions) }  // calls need not wait for it
    let seconds = "\(change.seconds.rounded(toPlaces: 3))"
    if change.isSame {
      log.info("routes read anew, nothing changed", ("because", change.reason), ("version", change.version))
    } else {
      log.notice(
        "routes reloaded", ("because", change.reason), ("version", change.version), ("from", change.from),
        ("seconds", seconds))
    }
  }

  /// What a start with other routes than the files' has to say.
  func tellOfStart() {
    guard let change = routes.lastChange else { return }
    switch routes.footing {
    case .files:
      if let problem = change.notKept {
        log.warning(
          "these routes cannot be kept for a rollback", ("version", change.version), ("why", problem))
      }
    case .rollback:
      log.warning(
        "a rollback is in force in the place of the files, until they change or routerd reload",
        ("version", change.version))
    case .lastGood:
      log.error("the route files are wrong; the last good version is in force", ("version", change.version))
      for error in change.errors.all {
        log.error(error.message, ("at", error.location.map(\.description) ?? ""))
      }
    }
  }
}
