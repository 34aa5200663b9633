extension RouteSource {
  /// What routerd serves when there is no route directory: one agent that needs no account, for callers on this machine.
  public static let embedded = RouteSource(
    root: "embedded/",
    files: [
      File(
        "embedded/default.yaml",
        """
        trunks:
          local: {addresses: [127.0.0.0/8, "::1"]}
        routes:
          - name: front-door
            match: {trunk: local}
            agent: reception
        agents:
          reception:
            faqCollections: [about]
            initialSpeech: Hello. This is the agent that routerd comes with.
            providerSettings:
              instructions: You tell callers that routerd runs, and that it wants a route file.
        faqCollections:
          about:
            - question: What is this?
              phrases: [who are you, what do you do]
              answer: This is routerd. It routes calls to agents, and you have reached the one that it comes with.
            - question: How do I change this?
              phrases: [how do I write a route, what do I do now]
              answer: Make a directory called routes, and put a file with routes and agents into it.
        """)
    ])
}
