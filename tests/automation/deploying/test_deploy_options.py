from automation.deploying import deploy_options
from automation.deploying.deploy_options import Options


def test_typed_repeats_what_the_user_chose() -> None:
    options = Options(yes=True, allow=("replace:A",), plan="p.json", adopt=("B=new",), set=("C=a b",))

    command = deploy_options.typed("live", options)

    assert command == ("inv deploy --env live --yes --plan p.json --allow replace:A --adopt B=new --set 'C=a b'")


def test_typed_without_options_names_the_environment() -> None:
    assert deploy_options.typed("live", Options()) == "inv deploy --env live"


def test_allow_words_names_each_danger() -> None:
    assert deploy_options.allow_words(("a:B", "dirty")) == ["--allow", "a:B", "--allow", "dirty"]
