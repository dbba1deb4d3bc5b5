from sirencodec.serve.cache import ByteCache


def test_what_was_used_longest_ago_leaves_first() -> None:
    cache = ByteCache(10)
    cache.put("a", 1, 4)
    cache.put("b", 2, 4)
    assert cache.get("a") == 1
    cache.put("c", 3, 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
    assert (cache.num_bytes, len(cache)) == (8, 2)


def test_it_never_holds_more_than_it_may() -> None:
    cache = ByteCache(100)
    for key in range(1000):
        cache.put(key % 70, key, key % 37)
        assert cache.num_bytes <= 100


def test_what_is_too_large_is_not_kept_and_drives_nothing_out() -> None:
    cache = ByteCache(10)
    cache.put("a", 1, 10)
    cache.put("b", 2, 11)
    assert (cache.get("a"), cache.get("b")) == (1, None)


def test_a_new_value_replaces_the_old() -> None:
    cache = ByteCache(10)
    cache.put("a", 1, 6)
    cache.put("a", 2, 7)
    assert (cache.get("a"), cache.num_bytes) == (2, 7)
