from dashlight.decode.rows.extras import optional_module


def test_a_module_is_loaded_where_it_is_installed() -> None:
    found = optional_module("json")

    assert found is not None
    assert found.loads("[1]") == [1]
    assert optional_module("no_such_package_anywhere") is None
