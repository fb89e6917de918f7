throw new RangeError("no luck at the start");
