import pytest

from automation.authoring import names
from automation.authoring.names import Names
from automation.system.errors import UsageError

NEW = Names("risk_check")


def test_names_are_spelled_in_each_way() -> None:
    assert (NEW.module, NEW.kebab, NEW.words, NEW.camel) == ("risk_check", "risk-check", "risk check", "RiskCheck")


@pytest.mark.parametrize("name", ["a", "a1", "risk_check_2", "ab", "a" * 48])
def test_parse_accepts_the_name_of_a_module(name: str) -> None:
    assert names.parse(name, command="new-function") == Names(name)


def test_parse_refuses_a_name_that_physical_names_cannot_hold() -> None:
    with pytest.raises(UsageError, match=r"'a{49}' has 49 characters; choose a name of at most 48$"):
        names.parse("a" * 49, command="new-function")


@pytest.mark.parametrize("name", ["A", "1a", "a_", "_a", "a__b", "a-b", "a b", "ä"])
def test_parse_refuses_other_names(name: str) -> None:
    with pytest.raises(
        UsageError, match=f"'{name}' cannot be a name: use small letters, digits and single underscores"
    ):
        names.parse(name, command="new-function")


def test_parse_refuses_a_word_of_python() -> None:
    with pytest.raises(UsageError, match="'class' is a word of Python; choose another name"):
        names.parse("class", command="new-function")


def test_parse_without_a_name_says_what_to_type() -> None:
    with pytest.raises(UsageError, match="a name is missing; type, for example, inv new-layer risk_check"):
        names.parse("", command="new-layer")


@pytest.mark.parametrize(
    ("logical_id", "suffix"),
    [("OrdersFunction", "Function"), ("OrdersLambda", "Lambda"), ("Function", ""), ("Orders", ""), ("OrderFn", "Fn")],
)
def test_suffix_of_is_a_usual_word_at_the_end(logical_id: str, suffix: str) -> None:
    assert names.suffix_of(logical_id) == suffix


def test_new_ids_replace_the_stem_of_the_function() -> None:
    copied = ["OrdersFunction", "OrdersFunctionRole", "OrdersQueue", "OrdersQueueAlarm"]

    assert names.new_ids(copied, "OrdersFunction", NEW, kinds={}) == {
        "OrdersFunction": "RiskCheckFunction",
        "OrdersFunctionRole": "RiskCheckFunctionRole",
        "OrdersQueue": "RiskCheckQueue",
        "OrdersQueueAlarm": "RiskCheckQueueAlarm",
    }


def test_new_ids_replace_a_name_that_is_the_stem() -> None:
    ids = names.new_ids(["JobsFunction", "Jobs", "JobsFailed"], "JobsFunction", NEW, kinds={})

    assert (ids["Jobs"], ids["JobsFailed"]) == ("RiskCheck", "RiskCheckFailed")


def test_new_ids_replace_a_stem_that_only_the_resources_share() -> None:
    copied = ["PlanFunction", "TradeInbox", "TradeDlq", "TradeDlqAlarm", "SchedulerRole"]

    assert names.new_ids(copied, "PlanFunction", NEW, kinds={}) == {
        "PlanFunction": "RiskCheckFunction",
        "TradeInbox": "RiskCheckInbox",
        "TradeDlq": "RiskCheckDlq",
        "TradeDlqAlarm": "RiskCheckDlqAlarm",
        "SchedulerRole": "RiskCheckSchedulerRole",
    }


def test_new_ids_call_a_rule_by_its_kind_and_its_alarm_after_it() -> None:
    ids = names.new_ids(["A", "DoneRuleAlarm", "DoneRule"], "A", NEW, kinds={"DoneRule": "Rule"})

    assert (ids["DoneRule"], ids["DoneRuleAlarm"]) == ("RiskCheckRule", "RiskCheckRuleAlarm")


def test_new_ids_do_not_take_half_a_word_as_a_stem() -> None:
    ids = names.new_ids(["Order", "Ordering", "Stock"], "Order", NEW, kinds={})

    assert ids["Ordering"] == "RiskCheckOrdering"
    assert ids["Stock"] == "RiskCheckStock"


def test_replace_words_replaces_ids_their_spellings_and_the_module() -> None:
    words = names.replacements({"TradesInbox": "RiskCheckInbox"}, "trades_v2", NEW)
    text = "!Ref TradesInbox, ${S}-trades-inbox, x.trades_v2.y, trades-v2, trades_inbox"

    assert (
        names.replace_words(text, words)
        == "!Ref RiskCheckInbox, ${S}-risk-check-inbox, x.risk_check.y, risk-check, risk_check_inbox"
    )


def test_replacements_spell_only_names_of_several_words() -> None:
    assert names.replacements({"Queue": "RiskCheckQueue"}, "", NEW) == {"Queue": "RiskCheckQueue"}


@pytest.mark.parametrize(
    "text", ["AWS::SQS::TradesInbox", "TradesInboxes", "MyTradesInbox", "trades_v22", "my_trades_v2", "TradesInbox_x"]
)
def test_replace_words_leaves_longer_words(text: str) -> None:
    assert names.replace_words(text, {"TradesInbox": "X", "trades_v2": "y"}) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            '"sqs:SendMessage"',
            "[sqs:*]",
            "- sqs:GetQueueUrl",
            "arn:aws:sqs:eu-west-1:1:x",
            "aws.sqs",
            "sqs:ReceiveMessage",
        ),
        *("arn:${AWS::Partition}:sqs:${AWS::Region}", "{Service: sqs.amazonaws.com}", "sqs.${AWS::URLSuffix}"),
    ],
)
def test_replace_words_leaves_the_name_of_a_service(text: str) -> None:
    """A module may be called as a service of AWS, and its role still has to read the queue."""
    assert names.replace_words(text, {"sqs": "risk_check"}) == text


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("functions/sqs/", "functions/risk_check/"),
        ("shop.sqs.main", "shop.risk_check.main"),
        ("!Sub arn:aws:logs:::log-group:/aws/lambda/sqs:*", "!Sub arn:aws:logs:::log-group:/aws/lambda/risk_check:*"),
        ("laws.sqs", "laws.risk_check"),
        ("sqs: reads", "risk_check: reads"),
        ("${S}-sqs", "${S}-risk-check"),
        ("sqs-inbox", "risk-check-inbox"),
    ],
)
def test_replace_words_replaces_a_module_that_is_called_as_a_service(text: str, replaced: str) -> None:
    assert names.replace_words(text, {"sqs": "risk_check"}) == replaced


def test_replacements_keep_digits_and_capitals_of_a_word_together() -> None:
    ids = {"X2Inbox": "RiskCheckInbox", "HTTPApi": "RiskCheckApi", "OrdersV3": "RiskCheckV3"}

    assert names.replacements(ids, "", NEW) == {
        **ids,
        "x2-inbox": "risk-check-inbox",
        "x2_inbox": "risk_check_inbox",
        "http-api": "risk-check-api",
        "http_api": "risk_check_api",
        "orders-v3": "risk-check-v3",
        "orders_v3": "risk_check_v3",
    }


def test_replacements_spell_the_new_name_as_it_is() -> None:
    """`a_b` and `ab` must not end in the same physical name."""
    words = names.replacements({"RiskCheckFunction": "ABFunction", "RiskCheck": "AB"}, "risk-check", Names("a_b"))

    assert (words["risk-check-function"], words["risk_check"], words["risk-check"]) == ("a-b-function", "a_b", "a-b")


def test_replace_words_prefers_the_longer_word() -> None:
    assert names.replace_words("a-b a", {"a": "1", "a-b": "2"}) == "2 1"


def test_replace_words_without_words_changes_nothing() -> None:
    assert names.replace_words("a", {}) == "a"


def test_replacements_without_a_module_are_the_ids_only() -> None:
    assert names.replacements({"A": "B"}, "", NEW) == {"A": "B"}
