from automation.authoring import shared_lists, yaml_trees

TEXT = """\
Items:
  - {Ref: Orders}
  - Fn::GetAtt: [Orders, Arn]
  - !Sub "${Orders}-x"
  - Orders
  - !Ref Stock
  - [!Ref Stock, !Ref Orders]
  - {Name: !Ref Orders, Also: [!Ref Orders]}
  - {Name: a, Also: [!Ref Orders]}
Joined: !Join ["", [!Ref Orders]]
"""


def test_items_about_are_those_that_mention_a_resource_in_any_spelling() -> None:
    root = yaml_trees.read(TEXT, name="t.yaml")

    items = shared_lists.items_about(root, frozenset({"Orders"}))

    assert [TEXT[node.items[number].start : node.items[number].end] for node, number in items] == [
        "{Ref: Orders}",
        "Fn::GetAtt: [Orders, Arn]",
        '!Sub "${Orders}-x"',
        "!Ref Orders",
        "{Name: !Ref Orders, Also: [!Ref Orders]}",
        "!Ref Orders",
    ]
