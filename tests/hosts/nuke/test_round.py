def test_round(each_nuke):
    told = each_nuke.act("the_round")
    for k, v in told.items(): print(k, v)
    assert 0
