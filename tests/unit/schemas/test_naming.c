/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "schemas/schemas.h"

static void expect(enum naming_fault fault, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cr_expect(schema_name_fault(names[i]) == fault, "%s", names[i]);
    }
}

Test(naming, what_has_happened_is_an_event)
{
    static const char *const names[] = {
        "Order.Placed", "Order.PaymentProcessed", "Order.Payment.Processed",   "Mail.Sent",
        "Order.Paid",   "User2.EmailV2Changed",   "Order.ItemSetUp.Withdrawn", "Contract.Agreed",
    };
    expect(NAMING_FINE, names, ARRAY_LEN(names));
}

Test(naming, what_should_happen_is_a_command)
{
    static const char *const names[] = {
        "Order.Place", "Order.Item.Add",  "Order.SendMail",
        "Animal.Feed", "Order.PlacedNow", "Bird.Red",
    };
    expect(NAMING_COMMAND, names, ARRAY_LEN(names));
}

Test(naming, another_shape)
{
    static const char *const names[] = {
        "",
        "Placed",
        "order.placed",
        "Order.placed",
        "Order..Placed",
        ".Order.Placed",
        "Order.Placed.",
        "A.B.C.Placed",
        "Order-Placed",
        "Order.Was_Placed",
        "Order.2Placed",
        "Order/Placed",
        "\xC3\x96l.Bought",
    };
    expect(NAMING_SHAPE, names, ARRAY_LEN(names));
}
