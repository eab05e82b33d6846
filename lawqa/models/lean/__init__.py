"""A model ready sooner: nothing imported or computed that it does not need."""
