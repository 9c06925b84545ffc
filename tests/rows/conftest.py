"""How the texts of the rows are written anew."""


def pytest_addoption(parser):
    parser.addoption("--rewrite-rows", action="store_true", help="write the kept texts of the rows anew")
