/* The tests of derivatives and of the hypergradient: right ones pass; a wrong one planted in each callback in
   turn is caught and named, with its order; kinks, what is not finite and sums that were not added up are
   told apart. */
#include "files.h"
#include "problem.h"

typedef enum { UPPER1, UPPER2, GRADIENT, HESSIAN, CROSS, CROSST, JVP, VJP, PJVP, PVJP, nplaces } Place;
typedef enum { NONE, FACTOR, SIGN, MISSING, TRANSPOSED, nfaults } Fault;

static const char *const names[nplaces] = {"grad1 E",
                                           "grad2 E",
                                           "gradient of the loss",
                                           "Hessian product",
                                           "cross product",
                                           "cross product transposed",
                                           "map's jvp",
                                           "map's vjp",
                                           "map's parameter jvp",
                                           "map's parameter vjp"};

/* What the callbacks below do wrong. */
static struct {
  Place place;
  Fault fault;
} planted;

/* Spoils y = A v where the fault is planted here; a missing part: every other entry. */
static PetscErrorCode Spoil(Place here, Vec y)
{
  PetscInt first, last;
  PetscScalar *a;

  PetscFunctionBegin;
  if (here != planted.place || !y) PetscFunctionReturn(0);
  if (planted.fault == FACTOR) PetscCall(VecScale(y, 1.01));
  if (planted.fault == SIGN) PetscCall(VecScale(y, -1));
  if (planted.fault == MISSING) {
    PetscCall(VecGetOwnershipRange(y, &first, &last));
    PetscCall(VecGetArray(y, &a));
    for (PetscInt i = first; i < last; i++)
      if (i % 2) a[i - first] = 0;
    PetscCall(VecRestoreArray(y, &a));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode BadUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(UserUpper(blp, lambda, w, E, g1, g2, ctx));
  PetscCall(Spoil(UPPER1, g1));
  PetscCall(Spoil(UPPER2, g2));
  PetscFunctionReturn(0);
}

static PetscErrorCode BadGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx)
{
  PetscFunctionBegin;
  PetscCall(UserGradient(blp, lambda, w, l, g, ctx));
  PetscCall(Spoil(GRADIENT, g));
  PetscFunctionReturn(0);
}

#define BAD_PRODUCT(name, here, right, other)                                                                \
  static PetscErrorCode name(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)                            \
  {                                                                                                          \
    PetscFunctionBegin;                                                                                      \
    if (planted.place == (here) && planted.fault == TRANSPOSED)                                              \
      PetscCall(other(blp, lambda, w, v, y, ctx));                                                           \
    else                                                                                                     \
      PetscCall(right(blp, lambda, w, v, y, ctx));                                                           \
    PetscCall(Spoil(here, y));                                                                               \
    PetscFunctionReturn(0);                                                                                  \
  }
BAD_PRODUCT(BadHessian, HESSIAN, UserHessian, UserHessian)
BAD_PRODUCT(BadCross, CROSS, UserCross, UserCross)
BAD_PRODUCT(BadCrossTranspose, CROSST, UserCrossTranspose, UserCrossTranspose)
BAD_PRODUCT(BadJVP, JVP, UserJVP, UserVJP)
BAD_PRODUCT(BadVJP, VJP, UserVJP, UserJVP)
BAD_PRODUCT(BadParameterJVP, PJVP, UserParameterJVP, UserParameterJVP)
BAD_PRODUCT(BadParameterVJP, PVJP, UserParameterVJP, UserParameterVJP)

/* The example problem with these callbacks, as a loss and as a map at once. */
static PetscErrorCode MakeProblem(BLP *blp)
{
  UserProblem *user = NULL;

  PetscFunctionBegin;
  PetscCall(UserProblemCreate(TEST_COMM, 9, 7, 4, 6, 1, &user));
  PetscCall(BLPCreate(TEST_COMM, blp));
  PetscCall(BLPSetType(*blp, BLPUSER));
  PetscCall(UserProblemSet(*blp, user, PETSC_FALSE));
  PetscCall(BLPUserSetUpper(*blp, BadUpper));
  PetscCall(BLPUserSetLoss(*blp, BadGradient, BadHessian, BadCross, BadCrossTranspose));
  PetscCall(BLPUserSetMap(*blp, UserMap, BadJVP, BadVJP, BadParameterJVP, BadParameterVJP, PETSC_FALSE));
  PetscCall(BLPUserSetLinearize(*blp, NULL, UserMapLinearize));
  PetscCall(BLPSetUp(*blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakePoint(BLP blp, PetscReal scale, Vec *lambda, Vec *w)
{
  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(blp, lambda, w));
  PetscCall(TwofoldVecSetRandomNormal(*lambda, 1));
  PetscCall(TwofoldVecSetRandomNormal(*w, 2));
  PetscCall(VecScale(*w, scale));
  PetscFunctionReturn(0);
}

/* The test at (lambda, w): its error and message. */
static PetscErrorCode RunTest(BLP blp, Vec lambda, Vec w, int *code, char message[2048])
{
  PetscFunctionBegin;
  message[0] = 0;
  PetscCall(PetscPushErrorHandler(KeepMessage, message));
  *code = (int)BLPTestDerivatives(blp, lambda, w, NULL);
  PetscCall(PetscPopErrorHandler());
  PetscFunctionReturn(0);
}

/* Raises PETSC_ERR_USER with all these words (NULL ends them). */
static PetscErrorCode Expect(BLP blp, Vec lambda, Vec w, const char *const words[])
{
  char message[2048];
  int code = 0;

  PetscFunctionBegin;
  PetscCall(RunTest(blp, lambda, w, &code, message));
  CHECK(code == PETSC_ERR_USER, "error %d instead of %d: %s", code, PETSC_ERR_USER, message);
  for (int i = 0; words[i]; i++) CHECK(strstr(message, words[i]), "no '%s' in: %s", words[i], message);
  CHECK(!strchr(message, '\n'), "more than a line: %s", message);
  PetscFunctionReturn(0);
}

/* Each fault in each callback, for a w of several sizes. */
static PetscErrorCode PlantedFaults(BLP blp, PetscReal scale)
{
  char message[2048], is[128];
  Vec lambda, w;
  int code = 0;

  PetscFunctionBegin;
  PetscCall(MakePoint(blp, scale, &lambda, &w));
  planted.fault = NONE;
  PetscCall(RunTest(blp, lambda, w, &code, message));
  CHECK(!code, "a right problem at scale %g: %s", scale, message);
  for (int place = 0; place < nplaces; place++) {
    for (int fault = FACTOR; fault < nfaults; fault++) {
      if (fault == TRANSPOSED && place != JVP && place != VJP) continue; /* the others are not square */
      planted.place = (Place)place;
      planted.fault = (Fault)fault;
      PetscCall(PetscSNPrintf(is, sizeof(is), "problem's %s is wrong", names[place]));
      const char *const words[] = {is, "has order 1.0", "instead of 2", NULL}, *const small[] = {is, NULL};
      PetscCall(Expect(blp, lambda, w, fault == MISSING ? small : words));
    }
  }
  planted.fault = NONE;
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ functions that cannot be differentiated
 */

static int ill; /* which of the ills below */
enum { KINK, INFINITE_E, NAN_GRADIENT, NAN_PRODUCT, LOCAL_SUM, NO_VALUE, LINEAR };

/* E = sum |w_i| + sum lambda_i, and what is ill about it */
static PetscErrorCode IllUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  (void)ctx;
  PetscCall(VecSum(lambda, E));
  if (g2) PetscCall(VecSet(g2, 1));
  if (ill == KINK) {
    PetscReal norm;
    PetscCall(VecNorm(w, NORM_1, &norm));
    *E += norm;
  }
  PetscCallMPI(MPI_Comm_rank(PetscObjectComm((PetscObject)blp), &rank));
  if (ill == INFINITE_E) *E = (PetscReal)INFINITY;
  if (ill == LOCAL_SUM) *E += rank;
  if (ill == NAN_GRADIENT && g1) PetscCall(VecSet(g1, (PetscReal)NAN));
  PetscFunctionReturn(0);
}

/* l = |w|^2 / 2 */
static PetscErrorCode IllGradient(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)ctx;
  PetscCall(VecCopy(w, g));
  if (l && ill != NO_VALUE) {
    PetscCall(VecDot(w, w, l));
    *l /= 2;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode IllHessian(BLP blp, Vec lambda, Vec w, Vec v, Vec y, void *ctx)
{
  PetscFunctionBegin;
  (void)blp;
  (void)lambda;
  (void)w;
  (void)ctx;
  PetscCall(VecCopy(v, y));
  if (ill == NAN_PRODUCT) PetscCall(VecSet(y, (PetscReal)NAN));
  if (ill == NO_VALUE) PetscCall(VecScale(y, 2));
  PetscFunctionReturn(0);
}

static PetscErrorCode IllFunctions(void)
{
  const char *const kink[] = {"E(w + h v, lambda)", "has a kink", "order 1.0", NULL},
                    *const infinite[] = {"E(w + h v, lambda) is not finite", NULL},
                    *const gradient[] = {"grad1 E is not finite", NULL},
                    *const product[] = {"Hessian product is not finite", NULL},
                    *const local[] = {"E is not the same on all ranks", "sum it over them", NULL},
                    *const unvalued[] = {"Hessian product is wrong", "gives no l", NULL};
  char message[2048];
  PetscMPIInt size;
  Vec lambda, w;
  BLP blp;
  int code = 0;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetType(blp, BLPUSER));
  PetscCall(BLPUserSetSizes(blp, PETSC_DECIDE, 2, PETSC_DECIDE, 5));
  PetscCall(BLPUserSetUpper(blp, IllUpper));
  PetscCall(BLPUserSetLoss(blp, IllGradient, IllHessian, NULL, NULL));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecSet(lambda, 1));
  ill = LINEAR;
  PetscCall(RunTest(blp, lambda, w, &code, message)); /* w = 0 */
  CHECK(!code, "linear and quadratic functions: %s", message);
  ill = KINK;
  PetscCall(Expect(blp, lambda, w, kink));
  ill = INFINITE_E;
  PetscCall(Expect(blp, lambda, w, infinite));
  ill = NAN_GRADIENT;
  PetscCall(Expect(blp, lambda, w, gradient));
  ill = NAN_PRODUCT;
  PetscCall(Expect(blp, lambda, w, product));
  ill = LOCAL_SUM;
  if (size > 1) PetscCall(Expect(blp, lambda, w, local));
  PetscCall(TwofoldVecSetRandomNormal(w, 3));
  ill = NO_VALUE;
  PetscCall(Expect(blp, lambda, w, unvalued));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ within a solve */

/* E = sum sqrt(lambda - 1), which refuses to be evaluated below 1: the bound keeps the tests inside. */
static PetscErrorCode LogUpper(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2, void *ctx)
{
  PetscReal least;
  Vec y;

  PetscFunctionBegin;
  PetscCall(VecMin(lambda, NULL, &least));
  PetscCheck(least >= 1, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_OUTOFRANGE, "lambda %g",
             (double)least);
  (void)w;
  (void)g1;
  (void)ctx;
  PetscCall(VecDuplicate(lambda, &y));
  PetscCall(VecCopy(lambda, y));
  PetscCall(VecShift(y, -1));
  PetscCall(UserApply(y, sqrt));
  PetscCall(VecSum(y, E));
  if (g2) {
    PetscCall(VecCopy(y, g2));
    PetscCall(VecReciprocal(g2));
    PetscCall(VecScale(g2, 0.5));
  }
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}

static PetscErrorCode Bounds(void)
{
  char message[2048];
  Vec lambda, w, lower;
  BLP blp;
  HG hg;
  int code = 0;

  PetscFunctionBegin;
  ill = LINEAR;
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetType(blp, BLPUSER));
  PetscCall(BLPUserSetSizes(blp, PETSC_DECIDE, 9, PETSC_DECIDE, 5));
  PetscCall(BLPUserSetUpper(blp, LogUpper));
  PetscCall(BLPUserSetLoss(blp, IllGradient, IllHessian, NULL, NULL));
  PetscCall(BLPCreateVecs(blp, &lambda, &w));
  PetscCall(VecDuplicate(lambda, &lower));
  PetscCall(VecSet(lambda, 1.01));
  PetscCall(VecSet(lower, 1));
  PetscCall(BLPSetBounds(blp, lower, NULL));
  PetscCall(RunTest(blp, lambda, w, &code, message));
  CHECK(!code, "near a bound: %s", message);
  PetscCall(HGMake(blp, NULL, "-hg_type itd -lls_max_it 0", &hg));
  PetscCall(HGTest(hg, lambda, NULL));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&lower));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* HGSolve() with options: its error, and g. */
static PetscErrorCode Solve(BLP blp, const char options[], Vec lambda, Vec g, int *code, char message[2048])
{
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  message[0] = 0;
  PetscCall(HGMake(blp, NULL, options, &hg));
  PetscCall(PetscPushErrorHandler(KeepMessage, message));
  *code = (int)HGSolve(hg, lambda, &f, g);
  PetscCall(PetscPopErrorHandler());
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* HGTest() leaves the state, the report and what follows alone; itd must be right, aid may have an error. */
static PetscErrorCode Hypergradient(BLP blp)
{
  const char *const
      itd = "-hg_type itd -lls_max_it 8 -lls_fpm_step 0.4 -lls_fpm_type nesterov -lls_fpm_momentum 0.3",
      *const others[] = {"-hg_type itd -hg_itd_truncate 3 -lls_max_it 8 -lls_fpm_step 0.4",
                         "-hg_type aid -lls_max_it 8 -lls_fpm_step 0.4 -hg_ksp_max_it 2 -hg_ksp_rtol 0"};
  char message[2048];
  Vec lambda, w, g, before;
  HGReport report, after;
  PetscReal f, difference;
  State x;
  HG hg;
  int code = 0;

  PetscFunctionBegin;
  PetscCall(MakePoint(blp, 1, &lambda, &w));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecDuplicate(w, &before));
  PetscCall(HGMake(blp, NULL, itd, &hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, &report));
  PetscCall(HGGetState(hg, &x));
  PetscCall(VecCopy(x->v[0], before));
  PetscCall(HGTest(hg, lambda, NULL));
  PetscCall(HGGetReport(hg, &after));
  PetscCall(HGGetState(hg, &x));
  PetscCall(RelativeDifference(x->v[0], before, &difference));
  CHECK(difference == 0 && after.reason == report.reason && after.norm == report.norm,
        "the test left its mark: %g", difference);
  PetscCall(HGDestroy(&hg));
  planted.place = HESSIAN; /* a wrong product makes a wrong itd */
  planted.fault = FACTOR;
  PetscCall(HGMake(blp, NULL, itd, &hg));
  CHECK_RAISES(PETSC_ERR_USER, HGTest(hg, lambda, NULL));
  PetscCall(HGDestroy(&hg));
  for (int i = 0; i < 2; i++) {
    PetscCall(HGMake(blp, NULL, others[i], &hg));
    PetscCall(HGTest(hg, lambda, NULL));
    PetscCall(HGDestroy(&hg));
  }
  PetscCall(BLPSetTestDerivatives(blp, PETSC_TRUE));
  planted.place = CROSST;
  PetscCall(Solve(blp, others[1], lambda, g, &code, message));
  CHECK(code == PETSC_ERR_USER && strstr(message, "cross product transposed is wrong"), "%d: %s", code,
        message);
  planted.fault = NONE;
  PetscCall(Solve(blp, others[1], lambda, g, &code, message));
  CHECK(!code, "%s", message);
  PetscCall(BLPSetTestDerivatives(blp, PETSC_FALSE));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&before));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  BLP blp;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(MakeProblem(&blp));
  PetscCall(PlantedFaults(blp, 1));
  PetscCall(PlantedFaults(blp, 1e-2));
  PetscCall(PlantedFaults(blp, 3));
  PetscCall(IllFunctions());
  PetscCall(Bounds());
  PetscCall(Hypergradient(blp));
  PetscCall(BLPDestroy(&blp));
  PetscCall(TestFinalize());
  return 0;
}
